package main

import (
	"fmt"
	"math/bits"
	"strconv"
	"strings"

	"carrel/turn"
)

// A fuel is a flag: units of fuel, as a number that may end in k, M, G or T
// (thousands).
type fuel uint64

func (f *fuel) Set(s string) error {
	n, err := parseQuantity(s, fuelUnits)
	if err != nil {
		return err
	}
	if n > turn.FuelMax {
		return fmt.Errorf("%q is more than the largest limit, %d", s, uint64(turn.FuelMax))
	}
	*f = fuel(n)
	return nil
}

func (f *fuel) String() string { return formatQuantity(uint64(*f), fuelUnits) }
func (f *fuel) Type() string   { return "N" }

// A size is a flag: bytes, as a number that may end in K, M or G, with or
// without iB (powers of 1024 in both forms).
type size uint64

func (z *size) Set(s string) error {
	n, err := parseQuantity(strings.TrimSuffix(strings.TrimSuffix(s, "B"), "i"), sizeUnits)
	if err != nil {
		return err
	}
	*z = size(n)
	return nil
}

func (z *size) String() string { return formatQuantity(uint64(*z), sizeUnits) + "B" }
func (z *size) Type() string   { return "SIZE" }

// memoryPages is a memory limit in pages of 64 KiB. A part of a page is lost:
// a limit is never exceeded.
func (z size) memoryPages() (uint32, error) {
	pages := uint64(z) / pageBytes
	if pages == 0 || pages > turn.MemoryPagesMax {
		return 0, fmt.Errorf("memory of %s: it must be 64KiB to 2GiB", z.String())
	}
	return uint32(pages), nil
}

const pageBytes = 64 << 10

// A unit is a suffix and what it multiplies by.
type unit struct {
	suffix string
	factor uint64
}

var (
	fuelUnits = []unit{{"T", 1e12}, {"G", 1e9}, {"M", 1e6}, {"k", 1e3}, {"", 1}}
	sizeUnits = []unit{{"Gi", 1 << 30}, {"Mi", 1 << 20}, {"Ki", 1 << 10}, {"", 1}}
)

// parseQuantity reads a whole number with an optional unit. Letter case of the
// unit does not matter, nor does its i; underscores may group digits.
func parseQuantity(s string, units []unit) (uint64, error) {
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

// formatQuantity is the shortest exact form.
func formatQuantity(n uint64, units []unit) string {
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
