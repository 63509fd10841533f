package image

import (
	"fmt"
	"sync"

	"github.com/klauspost/compress/zstd"
)

// A packer compresses and decompresses groups of pages.
type packer struct {
	encoder *zstd.Encoder
	decoder *zstd.Decoder
	group   [groupBytes]byte
	packed  []byte
}

var packers = sync.Pool{New: func() any {
	encoder, err := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1), zstd.WithEncoderCRC(false),
		zstd.WithWindowSize(groupBytes), zstd.WithLowerEncoderMem(true))
	if err != nil {
		panic(err)
	}
	decoder, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true),
		zstd.WithDecoderMaxMemory(groupBytes), zstd.WithDecodeAllCapLimit(true))
	if err != nil {
		panic(err)
	}
	return &packer{encoder: encoder, decoder: decoder, packed: make([]byte, 0, groupHeadBytes+packedBytesMax)}
}}

// pack puts the head of a group and the group, compressed, into packed.
func (p *packer) pack(number uint32) {
	p.packed = p.encoder.EncodeAll(p.group[:], p.packed[:groupHeadBytes])
	appendGroupHead(p.packed[:0], number, uint32(len(p.packed)-groupHeadBytes))
}

// unpack fills the group from packed.
func (p *packer) unpack() error {
	content, err := p.decoder.DecodeAll(p.packed, p.group[:0])
	if err != nil {
		return err
	}
	if len(content) != groupBytes {
		return fmt.Errorf("%d bytes, not %d", len(content), groupBytes)
	}
	return nil
}
