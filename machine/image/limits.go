package image

// Limits of an image, beside page.ReservationBytes for its memory.
const (
	// GlobalsMax bounds the mutable globals, two for a v128, and the marks of
	// dropped segments after them.
	GlobalsMax = 1 << 19
	// HostBytesMax bounds the host region.
	HostBytesMax = 1 << 20
)
