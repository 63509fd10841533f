// Package quantity reads and writes amounts of fuel and memory, as people give them to
// flags and in the environment.
package quantity

import (
	"fmt"
	"math/bits"
	"strconv"
	"strings"

	"carrel/turn"
)

// Fuel reads units of fuel: a number that may end in k, M, G or T (thousands). More
// than turn.FuelMax is an error.
func Fuel(s string) (uint64, error) {
	n, err := parse(s, fuelUnits)
	if err != nil {
		return 0, err
	}
	if n > turn.FuelMax {
		return 0, fmt.Errorf("%q is more than the largest limit, %d", s, uint64(turn.FuelMax))
	}
	return n, nil
}

// FormatFuel is the shortest exact form.
func FormatFuel(n uint64) string { return format(n, fuelUnits) }

// Bytes reads a number that may end in K, M or G, with or without iB (powers of 1024
// in both forms).
func Bytes(s string) (uint64, error) {
	return parse(strings.TrimSuffix(strings.TrimSuffix(s, "B"), "i"), byteUnits)
}

// FormatBytes is the shortest exact form.
func FormatBytes(n uint64) string { return format(n, byteUnits) + "B" }

// Pages is a memory limit in pages of 64 KiB. A part of a page is lost: a limit is
// never exceeded.
func Pages(bytes uint64) (uint32, error) {
	pages := bytes / PageBytes
	if pages == 0 || pages > turn.MemoryPagesMax {
		return 0, fmt.Errorf("memory of %s: it must be 64KiB to 2GiB", FormatBytes(bytes))
	}
	return uint32(pages), nil
}

// PageBytes is a page of memory.
const PageBytes = 64 << 10

// A unit is a suffix and what it multiplies by.
type unit struct {
	suffix string
	factor uint64
}

var (
	fuelUnits = []unit{{"T", 1e12}, {"G", 1e9}, {"M", 1e6}, {"k", 1e3}, {"", 1}}
	byteUnits = []unit{{"Gi", 1 << 30}, {"Mi", 1 << 20}, {"Ki", 1 << 10}, {"", 1}}
)

// parse reads a whole number with an optional unit. Letter case of the
// unit does not matter, nor does its i; underscores may group digits.
func parse(s string, units []unit) (uint64, error) {
	for _, u := range units {
		digits, ok := cutSuffixFold(s, strings.TrimSuffix(u.suffix, "i"))
		if !ok {
			continue
		}
		n, err := strconv.ParseUint(strings.ReplaceAll(digits, "_", ""), 10, 64)
		if err != nil {
			break
		}
		high, low := bits.Mul64(n, u.factor)
		if high != 0 {
			return 0, fmt.Errorf("%q is too large", s)
		}
		return low, nil
	}
	return 0, fmt.Errorf("%q is not a whole number with one of the units %s", s, unitNames(units))
}

func cutSuffixFold(s, suffix string) (string, bool) {
	if len(s) < len(suffix) || !strings.EqualFold(s[len(s)-len(suffix):], suffix) {
		return s, false
	}
	return s[:len(s)-len(suffix)], true
}

// format is the shortest exact form.
func format(n uint64, units []unit) string {
	for _, u := range units {
		if n >= u.factor && n%u.factor == 0 {
			return strconv.FormatUint(n/u.factor, 10) + u.suffix
		}
	}
	return strconv.FormatUint(n, 10)
}

func unitNames(units []unit) string {
	var names []string
	for _, u := range units {
		if u.suffix != "" {
			names = append([]string{strings.TrimSuffix(u.suffix, "i")}, names...)
		}
	}
	return strings.Join(names, ", ")
}
