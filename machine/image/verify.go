package image

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"

	"carrel/machine/page"
	"carrel/program/seal"
)

// ErrRoot reports an image whose content is not what its root names: what kept
// it has altered it.
var ErrRoot = errors.New("image is not what its root says")

// A claim is a root that an image is said to have.
type claim struct {
	root page.Hash
	once sync.Once
	done atomic.Bool
	err  error
}

// Unverified makes an image of content that nobody has checked against its root.
// It can be used at once; what comes of it must wait for Verify.
func Unverified(memory *page.Snapshot, globals []uint64, host []byte, root page.Hash) *Image {
	return &Image{Memory: memory, Globals: globals, Host: host, claim: &claim{root: root}}
}

// Claimed is the root that the image was said to have, or its own.
func (i *Image) Claimed() page.Hash {
	if i.claim != nil {
		return i.claim.root
	}
	return i.Root()
}

// Verified reports whether the image is known to be what its root says.
func (i *Image) Verified() bool { return i.claim == nil || i.claim.done.Load() && i.claim.err == nil }

// Verify checks the content against the root, once; whoever calls it meanwhile
// waits. Errors: ErrRoot.
func (i *Image) Verify() error {
	c := i.claim
	if c == nil {
		return nil
	}
	c.once.Do(func() {
		c.err = i.check(c.root)
		c.done.Store(true)
	})
	return c.err
}

// check holds the content against a root.
func (i *Image) check(want page.Hash) error {
	if root := i.Root(); root != want {
		return fmt.Errorf("%w: %v, and its content has %v", ErrRoot, seal.Digest(want), seal.Digest(root))
	}
	return nil
}
