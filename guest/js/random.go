package js

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/sha256"
	"encoding/binary"
)

// Domains separate the keys of random streams from other uses of a seed.
const (
	randomDomain = "carrel js random 1\x00"
	turnDomain   = "carrel js turn 1\x00"
)

// newRandom is the random stream of a seed in a turn: AES-256 in counter mode
// over zeros, counter starting at zero, under the key
// SHA-256(randomDomain || seed), where the seed of turn n from 1 on is
// SHA-256(turnDomain || n, 8 bytes little-endian || seed).
func newRandom(seed []byte, turn uint64) cipher.Stream {
	if turn > 0 {
		next := sha256.Sum256(append(binary.LittleEndian.AppendUint64([]byte(turnDomain), turn), seed...))
		seed = next[:]
	}
	key := sha256.Sum256(append([]byte(randomDomain), seed...))
	block, err := aes.NewCipher(key[:])
	if err != nil {
		panic(err) // the key has the right length
	}
	return cipher.NewCTR(block, make([]byte, aes.BlockSize))
}

func (w *Worker) randomGet(stack []uint64) error {
	buffer, ok := w.instance.Bytes(uint32(stack[0]), uint32(stack[1]))
	if !ok {
		stack[0] = errnoFault
		return nil
	}
	if err := w.instance.ChargeBytes(uint64(len(buffer))); err != nil {
		return err
	}
	clear(buffer)
	w.chance().XORKeyStream(buffer, buffer)
	stack[0] = errnoOK
	return nil
}

// chance is the random stream of the turn.
func (w *Worker) chance() cipher.Stream {
	if w.random == nil {
		w.random = newRandom(w.config.Seed, w.turns)
	}
	return w.random
}
