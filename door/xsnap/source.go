package xsnap

import "bytes"

// longestWord is the length of the longest string, template, number or name in
// source: what a parser has in its buffer at once. Regular expressions are not
// told from divisions: a quote in one begins a string here, which ends with the
// line.
func longestWord(source []byte) int {
	longest := 0
	for at := 0; at < len(source); {
		end, counts := wordEnd(source, at)
		if counts {
			longest = max(longest, end-at)
		}
		at = end
	}
	return longest
}

// wordEnd is where what begins at a byte ends, and whether it is a word.
func wordEnd(source []byte, at int) (end int, counts bool) {
	rest := source[at:]
	switch first := rest[0]; {
	case bytes.HasPrefix(rest, []byte("/*")):
		return after(source, at+2, "*/"), false
	case bytes.HasPrefix(rest, []byte("//")):
		return after(source, at+2, "\n"), false
	case first == '"' || first == '\'' || first == '`':
		return stringEnd(source, at), true
	case inName(first):
		for end = at + 1; end < len(source) && inName(source[end]); end++ {
		}
		return end, true
	}
	return at + 1, true
}

// after is where the mark that comes next ends.
func after(source []byte, at int, mark string) int {
	if n := bytes.Index(source[at:], []byte(mark)); n >= 0 {
		return at + n + len(mark)
	}
	return len(source)
}

// stringEnd is where the string or template that begins at a byte ends.
func stringEnd(source []byte, at int) int {
	quote := source[at]
	for end := at + 1; end < len(source); end++ {
		switch b := source[end]; {
		case b == quote:
			return end + 1
		case b == '\\':
			end++
		case b == '\n' && quote != '`':
			return end
		}
	}
	return len(source)
}

func inName(b byte) bool {
	return b >= 'a' && b <= 'z' || b >= 'A' && b <= 'Z' || b >= '0' && b <= '9' || b == '_' || b == '$' || b >= 0x80
}
