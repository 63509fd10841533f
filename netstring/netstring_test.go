package netstring

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"
)

func TestRead(t *testing.T) {
	for _, test := range []struct {
		input, want string
		err         error
	}{
		{"5:hello,", "hello", nil},
		{"0:,", "", nil},
		{"005:hello,", "hello", nil},
		{" \t\r\n5:hello,", "hello", nil},
		{"+5:hello,", "hello", nil},
		{"-0:,", "", nil},
		{"000000005:hello,", "hello", nil},

		{"", "", io.EOF},
		{" ", "", io.EOF},
		{"5", "", io.EOF},
		{"5:", "", io.EOF},
		{"5:hel", "", io.EOF},
		{"5:hello", "", io.EOF},
		{"999999999:hello", "", io.EOF},

		{"x", "", ErrLength},
		{":", "", ErrLength},
		{"-:", "", ErrLength},
		{"+x", "", ErrLength},
		{"\x00", "", ErrLength},
		{"5;hello,", "", ErrDelimiter},
		{"5 :hello,", "", ErrDelimiter},
		{"0x5:hello,", "", ErrDelimiter},
		{"0000000005:hello,", "", ErrDelimiter},
		{"1000000000:hello,", "", ErrDelimiter},
		{"-5:hello,", "", ErrBuffer},
		{"101:hello,", "", ErrBuffer},
		{"5:hello;", "", ErrTrailer},
		{"4:hello,", "", ErrTrailer},
	} {
		bytesMax := 100
		if strings.HasPrefix(test.input, "999") {
			bytesMax = BytesMax
		}
		for name, r := range map[string]io.Reader{"at once": strings.NewReader(test.input), "byte by byte": iotest.OneByteReader(strings.NewReader(test.input))} {
			got, err := Read(bufio.NewReader(r), bytesMax)
			if !errors.Is(err, test.err) || err == nil && string(got) != test.want {
				t.Errorf("%q %s: %q, %v; want %q, %v", test.input, name, got, err, test.want, test.err)
			}
		}
	}
	no := errors.New("no")
	for input, want := range map[string]Error{"": ErrLength, "5": ErrLength, "5:h": ErrBody, "5:hello": ErrTrailer} {
		_, err := Read(bufio.NewReader(io.MultiReader(strings.NewReader(input), iotest.ErrReader(no))), 100)
		if !errors.Is(err, want) || !errors.Is(err, no) {
			t.Errorf("%q: %v, want %v", input, err, want)
		}
	}
}

func TestLarge(t *testing.T) {
	body := bytes.Repeat([]byte("x"), 5<<20)
	got, err := Read(bufio.NewReader(bytes.NewReader(Append(nil, body[:3<<20], body[3<<20:]))), BytesMax)
	if err != nil || !bytes.Equal(got, body) {
		t.Errorf("%d bytes, %v", len(got), err)
	}
}

func FuzzRead(f *testing.F) {
	for _, seed := range []string{"5:hello,", "0:,", " +3:abc,1:R,", "-1:x", "999999999:", "12", "\n\n7:,,,,,,,,"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, input []byte) {
		r := bufio.NewReader(bytes.NewReader(input))
		for {
			body, err := Read(r, 1<<16)
			if err != nil {
				if err != io.EOF && !errors.As(err, new(Error)) {
					t.Errorf("%q: %v", input, err)
				}
				return
			}
			again, err := Read(bufio.NewReader(bytes.NewReader(Append(nil, body))), 1<<16)
			if err != nil || !bytes.Equal(again, body) {
				t.Errorf("%q comes back as %q, %v", body, again, err)
			}
		}
	})
}
