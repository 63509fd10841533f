package egress

import "time"

const (
	// TimeoutDefault, BodyKeepDefault and BodyMaxDefault stand for zeros in Options.
	TimeoutDefault  = 5 * time.Second
	BodyKeepDefault = 512
	BodyMaxDefault  = 1 << 20

	// RetriesMax and BackoffMax bound what a request may ask for. More is taken as that.
	RetriesMax = 16
	BackoffMax = 30 * time.Second

	// URLBytesMax bounds a URL as it was given: reading one takes time by the square of
	// its size.
	URLBytesMax = 4 << 10
	// AddressesMax bounds how many addresses of a host are tried. All are checked.
	AddressesMax = 16

	// RequestBytesMax bounds the body of a request.
	RequestBytesMax = 64 << 20
	// ReceiptBytesMax bounds a receipt in a header. In base64 it is a third larger, and
	// many receivers take no line of more than 8 KiB.
	ReceiptBytesMax = 48 << 10
	// MethodBytesMax bounds a method. A longer one is no method.
	MethodBytesMax = 64
	// HeadersMax and HeaderBytesMax bound the headers of a request, names and values.
	HeadersMax     = 64
	HeaderBytesMax = 16 << 10

	// AnswerHeaderBytesMax bounds the head of an answer, interim ones included.
	AnswerHeaderBytesMax = 64 << 10
	// MessageBytesMax bounds the text of an error: what a receiver sent may be in it.
	MessageBytesMax = 512
	// KeyIDBytesMax bounds the name of a key that signs.
	KeyIDBytesMax = 256
	// SignatureInputBytesMax bounds Signature-Input and Signature as Verify reads them.
	SignatureInputBytesMax = 8 << 10

	// windowBytes is what HTTP/2 lets a receiver send ahead of what is read.
	windowBytes = 64 << 10
)
