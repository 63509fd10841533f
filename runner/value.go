package runner

import (
	"fmt"
	"math"
	"math/big"
	"strconv"
	"strings"

	"carrel/machine/meter"
)

// A value has a text: its type, a colon, and the number. i32 and i64 are signed
// decimals, f32 and f64 the shortest decimal that is read back as the same
// ("nan" has no other bits, see the determinism contract), v128 is 32
// hexadecimal digits, a reference is null or not: "externref:set".
const (
	textNull = "null"
	textSet  = "set"
)

// parseValues reads arguments for parameters of some types, two values for a
// v128. The type may be left out of a text, and integers may be hexadecimal or
// unsigned.
func parseValues(types []meter.ValType, texts []string) ([]uint64, error) {
	if len(texts) != len(types) {
		return nil, fmt.Errorf("it takes %s, not %d arguments", typeList(types), len(texts))
	}
	var values []uint64
	for n, t := range types {
		value, err := parseValue(t, texts[n])
		if err != nil {
			return nil, fmt.Errorf("argument %d: %w", n+1, err)
		}
		values = append(values, value...)
	}
	return values, nil
}

func typeList(types []meter.ValType) string {
	if len(types) == 0 {
		return "nothing"
	}
	names := make([]string, len(types))
	for n, t := range types {
		names[n] = t.String()
	}
	return strings.Join(names, ", ")
}

func parseValue(t meter.ValType, text string) ([]uint64, error) {
	number := strings.TrimPrefix(text, t.String()+":")
	bad := fmt.Errorf("%.80q is no %v", text, t)
	switch t {
	case meter.I32, meter.I64:
		size := map[meter.ValType]int{meter.I32: 32, meter.I64: 64}[t]
		if v, err := strconv.ParseInt(number, 0, size); err == nil {
			return []uint64{uint64(v) & (math.MaxUint64 >> (64 - size))}, nil
		}
		v, err := strconv.ParseUint(number, 0, size)
		if err != nil {
			return nil, bad
		}
		return []uint64{v}, nil
	case meter.F32:
		v, err := strconv.ParseFloat(number, 32)
		if err != nil {
			return nil, bad
		}
		if v != v {
			return []uint64{meter.CanonicalNaN32}, nil
		}
		return []uint64{uint64(math.Float32bits(float32(v)))}, nil
	case meter.F64:
		v, err := strconv.ParseFloat(number, 64)
		if err != nil {
			return nil, bad
		}
		if v != v {
			return []uint64{meter.CanonicalNaN64}, nil
		}
		return []uint64{math.Float64bits(v)}, nil
	case meter.V128:
		v, ok := new(big.Int).SetString(strings.TrimPrefix(number, "0x"), 16)
		if !ok || v.Sign() < 0 || v.BitLen() > 128 {
			return nil, bad
		}
		low := new(big.Int).And(v, new(big.Int).SetUint64(math.MaxUint64))
		return []uint64{low.Uint64(), new(big.Int).Rsh(v, 64).Uint64()}, nil
	}
	if number != textNull {
		return nil, fmt.Errorf("%.80q: a host has no %v to give but %s", text, t, textNull)
	}
	return []uint64{0}, nil
}

// formatValues is the inverse of parseValues.
func formatValues(types []meter.ValType, values []uint64) []string {
	var texts []string
	for _, t := range types {
		text := t.String() + ":"
		switch v := values[0]; t {
		case meter.I32:
			text += strconv.FormatInt(int64(int32(v)), 10)
		case meter.I64:
			text += strconv.FormatInt(int64(v), 10)
		case meter.F32:
			text += formatFloat(float64(math.Float32frombits(uint32(v))), 32)
		case meter.F64:
			text += formatFloat(math.Float64frombits(v), 64)
		case meter.V128:
			text += fmt.Sprintf("%016x%016x", values[1], v)
			values = values[1:]
		default:
			text += map[bool]string{true: textNull, false: textSet}[v == 0]
		}
		values = values[1:]
		texts = append(texts, text)
	}
	return texts
}

// formatFloat is the shortest decimal, with an exponent below 1e-4 and from 1e21
// on.
func formatFloat(v float64, size int) string {
	form := byte('f')
	if size := math.Abs(v); size != 0 && (size < 1e-4 || size >= 1e21) {
		form = 'e'
	}
	return strings.TrimPrefix(strings.ToLower(strconv.FormatFloat(v, form, -1, size)), "+")
}
