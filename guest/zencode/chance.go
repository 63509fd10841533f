package zencode

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/sha256"
	"crypto/sha512"
)

// chanceDomain separates the key of the random stream from other uses of a seed.
const chanceDomain = "carrel zencode random 1\x00"

type chance = cipher.Stream

// newChance is the random stream of a seed, for an engine that asks although there is
// an rngseed: AES-256 in counter mode over zeros, counter starting at zero, under the
// key SHA-256(chanceDomain || seed).
func newChance(seed [sha512.Size]byte) chance {
	key := sha256.Sum256(append([]byte(chanceDomain), seed[:]...))
	block, err := aes.NewCipher(key[:])
	if err != nil {
		panic(err) // the key has the right length
	}
	return cipher.NewCTR(block, make([]byte, aes.BlockSize))
}
