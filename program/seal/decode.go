package seal

import (
	"encoding/base64"
	"fmt"
	"slices"
)

// DecodeEnvelope reads a DSSE envelope in JSON, ours or that of another tool:
// white space, order of members, and either alphabet of base64 may differ. It
// refuses members it does not know, duplicate members, an envelope without a
// signature, and anything beyond the limits of this package. No signature is
// checked.
func DecodeEnvelope(text []byte) (*Envelope, error) {
	envelope, err := decodeEnvelope(text)
	if err != nil {
		return nil, fmt.Errorf("decode envelope: %w", err)
	}
	return envelope, nil
}

func decodeEnvelope(text []byte) (*Envelope, error) {
	if len(text) > EnvelopeBytesMax {
		return nil, fmt.Errorf("%d bytes, at most %d", len(text), EnvelopeBytesMax)
	}
	value, err := parseJSON(text, envelopeValuesMax)
	if err != nil {
		return nil, err
	}
	object, err := members(value, "payload", "payloadType", "signatures")
	if err != nil {
		return nil, err
	}
	envelope := &Envelope{}
	if envelope.PayloadType, err = textMember(object, "payloadType", PayloadTypeBytesMax); err != nil {
		return nil, err
	}
	if envelope.Payload, err = bytesMember(object, "payload", PayloadBytesMax); err != nil {
		return nil, err
	}
	list, _ := object["signatures"].([]any)
	if len(list) == 0 || len(list) > SignaturesMax {
		return nil, fmt.Errorf("signatures: want a list of 1 to %d", SignaturesMax)
	}
	for n, element := range list {
		signature, err := decodeSignature(element)
		if err != nil {
			return nil, fmt.Errorf("signature %d: %w", n, err)
		}
		envelope.Signatures = append(envelope.Signatures, signature)
	}
	return envelope, nil
}

func decodeSignature(value any) (Signature, error) {
	object, err := members(value, "keyid", "sig")
	if err != nil {
		return Signature{}, err
	}
	var signature Signature
	if _, ok := object["keyid"]; ok {
		if signature.KeyID, err = textMember(object, "keyid", KeyIDBytesMax); err != nil {
			return Signature{}, err
		}
	}
	signature.Sig, err = bytesMember(object, "sig", signatureBytesMax)
	return signature, err
}

// members checks that a value is an object with no members but these.
func members(value any, names ...string) (map[string]any, error) {
	object, ok := value.(map[string]any)
	if !ok {
		return nil, fmt.Errorf("want an object")
	}
	for _, name := range memberNames(object) {
		if !slices.Contains(names, name) {
			return nil, fmt.Errorf("unknown member %.80q", name)
		}
	}
	return object, nil
}

func textMember(object map[string]any, name string, bytesMax int) (string, error) {
	text, ok := object[name].(string)
	switch {
	case !ok:
		return "", fmt.Errorf("%s: want a string", name)
	case len(text) > bytesMax:
		return "", fmt.Errorf("%s: %d bytes, at most %d", name, len(text), bytesMax)
	}
	return text, nil
}

// bytesMember reads base64 in the standard or the URL alphabet, with padding,
// as DSSE allows.
func bytesMember(object map[string]any, name string, bytesMax int) ([]byte, error) {
	text, err := textMember(object, name, base64.StdEncoding.EncodedLen(bytesMax))
	if err != nil {
		return nil, err
	}
	data, err := base64.StdEncoding.Strict().DecodeString(text)
	if err != nil {
		data, err = base64.URLEncoding.Strict().DecodeString(text)
	}
	switch {
	case err != nil:
		return nil, fmt.Errorf("%s: not base64", name)
	case len(data) > bytesMax:
		return nil, fmt.Errorf("%s: %d bytes, at most %d", name, len(data), bytesMax)
	}
	return data, nil
}
