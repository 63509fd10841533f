package seal

// Limits of an envelope.
const (
	// PayloadBytesMax bounds what is signed.
	PayloadBytesMax = 64 << 20
	// EnvelopeBytesMax bounds an envelope as a file: a payload in base64 and
	// room for its signatures.
	EnvelopeBytesMax = PayloadBytesMax/3*4 + 1<<20
	// SignaturesMax bounds the signatures of one envelope.
	SignaturesMax = 16
	// KeyIDBytesMax bounds the key id that a signature claims.
	KeyIDBytesMax = 256
	// signatureBytesMax bounds one signature; an Ed25519 signature has 64 bytes,
	// those of other tools may be longer.
	signatureBytesMax = 8 << 10
	// PayloadTypeBytesMax bounds the name of the type of a payload.
	PayloadTypeBytesMax = 256
	// JSONDepthMax bounds how deep objects and arrays nest.
	JSONDepthMax = 32
	// JSONValuesMax bounds how many values there are in a JSON text: a text of
	// a few bytes for each value takes far more memory once it is read.
	JSONValuesMax = 4 << 20
	// envelopeValuesMax is enough for SignaturesMax signatures.
	envelopeValuesMax = 256
)
