package main

import "carrel/quantity"

// A fuel is a flag: units of fuel, as a number that may end in k, M, G or T
// (thousands).
type fuel uint64

func (f *fuel) Set(s string) error {
	n, err := quantity.Fuel(s)
	if err != nil {
		return err
	}
	*f = fuel(n)
	return nil
}

func (f *fuel) String() string { return quantity.FormatFuel(uint64(*f)) }
func (f *fuel) Type() string   { return "N" }

// A size is a flag: bytes, as a number that may end in K, M or G, with or
// without iB (powers of 1024 in both forms).
type size uint64

func (z *size) Set(s string) error {
	n, err := quantity.Bytes(s)
	if err != nil {
		return err
	}
	*z = size(n)
	return nil
}

func (z *size) String() string { return quantity.FormatBytes(uint64(*z)) }
func (z *size) Type() string   { return "SIZE" }

// memoryPages is a memory limit in pages of 64 KiB.
func (z size) memoryPages() (uint32, error) { return quantity.Pages(uint64(z)) }
