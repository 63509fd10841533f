package posix

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/sha256"
	"encoding/binary"
)

// randomDomain separates the key of the random stream from other uses of a seed.
const randomDomain = "carrel posix random 1\x00"

// turnDomain does so for the seeds of later turns.
const turnDomain = "carrel posix turn 1\x00"

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

func (s *System) randomGet(stack []uint64) error {
	buffer, err := s.bytes(uint32(stack[0]), uint32(stack[1]))
	if err != nil {
		return err
	}
	if err := s.chargeBytes(uint64(len(buffer))); err != nil {
		return err
	}
	if s.random == nil {
		s.random = newRandom(s.config.Seed, s.turn)
	}
	clear(buffer)
	s.random.XORKeyStream(buffer, buffer)
	return nil
}
