package image

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"io"

	"carrel/machine/page"
)

const imageMagic = "carrel-image"

// A group begins with its number and its compressed length, 4 bytes each.
const groupHeadBytes = 4 + 4

// endMark is what stands after the last group, where a number would.
const endMark = 1<<32 - 1

// Write writes an image as a file, holding 64 KiB of it at a time. The bytes may
// differ between releases and machines, the root never does.
func Write(w io.Writer, i *Image, label *Label) error {
	if err := write(w, i, label, (*packer).pack); err != nil {
		return fmt.Errorf("write image: %w", err)
	}
	return nil
}

func write(w io.Writer, i *Image, label *Label, pack func(p *packer, number uint32)) error {
	header := fileHeader{label.MachineVersion, label.Program, label.Guest, label.GuestVersion, i.Root(), restOf(i)}
	if err := header.check(); err != nil {
		return err
	}
	text, err := encodeHeader(&header)
	if err != nil {
		return err
	}
	sum := sha256.Sum256(text)
	start := append(append(appendPreface(nil, imageMagic, len(text)), text...), sum[:]...)
	if _, err := w.Write(start); err != nil {
		return err
	}
	if err := writePages(w, i.memory(), pack); err != nil {
		return err
	}
	_, err = w.Write(appendGroupHead(nil, endMark, 0))
	return err
}

func writePages(w io.Writer, memory *page.Snapshot, pack func(p *packer, number uint32)) (err error) {
	p := packers.Get().(*packer)
	defer packers.Put(p)
	filling := -1 // the number of the group that is
	flush := func() {
		if filling >= 0 {
			pack(p, uint32(filling))
			_, err = w.Write(p.packed)
		}
	}
	memory.Each(func(n int, content []byte) bool {
		if n/groupPages != filling {
			flush()
			filling = n / groupPages
			clear(p.group[:])
		}
		copy(p.group[n%groupPages*page.Size:], content)
		return err == nil
	})
	if err == nil {
		flush()
	}
	return err
}

func appendGroupHead(b []byte, number, length uint32) []byte {
	return binary.LittleEndian.AppendUint32(binary.LittleEndian.AppendUint32(b, number), length)
}
