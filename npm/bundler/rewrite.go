package bundler

import (
	"cmp"
	"regexp"
	"slices"
	"strings"
)

// SES refuses a source with the text of an HTML comment, of an import expression
// or of a direct eval anywhere in it. In a literal such a text is harmless, and
// is written in another way.
var (
	refused = regexp.MustCompile(`<!--|-->|\bimport(?:\s*(?:\(|/[/*]))|\beval\s*\(`)

	inLiteral = strings.NewReplacer("<!--", `<!-\x2d`, "-->", `--\x3e`, "import", `impor\x74`, "eval", `eva\x6c`)
	inComment = strings.NewReplacer("<!--", "< !--", "-->", "-- >", "import", "imported", "eval", "evaluate")
)

// refusedInCode is the first such text that is left, which is code: SES lets
// names of properties pass.
var refusedInCode = regexp.MustCompile(`<!--|-->|(?:^|[^.\w$])(?:import(?:\s*(?:\(|/[/*]))|eval\s*\()`)

// rewrite goes over a script that esbuild printed, which has spaces around
// operators, and gives one that does the same. What SES would refuse in literals
// and comments is written in another way. A function's name is set only where
// esbuild gave it another one: setting it costs time whenever a function is made.
func rewrite(script string) string {
	s := &scanner{text: script, names: strings.Contains(script, nameHelper)}
	for s.at < len(s.text) {
		s.next()
	}
	return s.apply()
}

// A scanner goes through a script and notes what is to be changed.
type scanner struct {
	text  string
	names bool // names of functions are set
	at    int  // what comes next
	edits []edit

	word     string // the word before at, if the last token was one
	operand  bool   // the last token ends an operand
	closer   bool   // the last token was ) or }
	wasAdded bool   // the last token was + or -
	literal  int    // where the last literal began

	braces []brace   // the open braces
	parens []*naming // of the open parentheses, whether it is a call of __name
}

// A brace is what an open brace belongs to.
type brace byte

const (
	ofBlock brace = iota
	ofTemplate
	ofTagged // a template that a function gets, as it is written
)

// An edit replaces a part of the text.
type edit struct {
	from, to int
	with     string
}

func (s *scanner) edit(from, to int, with string) { s.edits = append(s.edits, edit{from, to, with}) }

// apply is the text with all that was noted.
func (s *scanner) apply() string {
	slices.SortFunc(s.edits, func(a, b edit) int { return cmp.Compare(a.from, b.from) })
	var out strings.Builder
	done := 0
	for _, e := range s.edits {
		out.WriteString(s.text[done:e.from])
		out.WriteString(e.with)
		done = e.to
	}
	out.WriteString(s.text[done:])
	return out.String()
}

// skip goes to an offset and notes what up to there would be refused.
func (s *scanner) skip(end int, replace *strings.Replacer) {
	for _, found := range refused.FindAllStringIndex(s.text[s.at:end], -1) {
		from, to := s.at+found[0], s.at+found[1]
		s.edit(from, to, replace.Replace(s.text[from:to]))
	}
	s.at = end
}

// skipLiteral goes over a literal.
func (s *scanner) skipLiteral(end int) {
	s.literal = s.at
	s.skip(end, inLiteral)
	s.ended(true)
}

// ended notes that a token has ended.
func (s *scanner) ended(operand bool) {
	s.word, s.operand, s.closer, s.wasAdded = "", operand, false, false
}

func (s *scanner) next() {
	c := s.text[s.at]
	switch {
	case c == ' ' || c == '\n' || c == '\t' || c == '\r':
		s.at++
	case c == '"' || c == '\'':
		s.skipLiteral(s.quoted(c))
	case c == '`' && s.operand && !keywords[s.word]:
		s.template(ofTagged)
	case c == '`':
		s.template(ofTemplate)
	case c == '/':
		s.slash()
	case isWord(c):
		start := s.at
		for s.at < len(s.text) && isWord(s.text[s.at]) {
			s.at++
		}
		s.ended(true)
		if start == 0 || s.text[start-1] != '.' { // else the name of a property
			s.word = s.text[start:s.at]
		}
	default:
		s.punctuation(c)
	}
}

func (s *scanner) punctuation(c byte) {
	switch c {
	case '(':
		s.parens = append(s.parens, s.beginNaming())
	case ')':
		if n := len(s.parens) - 1; n >= 0 {
			s.endNaming(s.parens[n])
			s.parens = s.parens[:n]
		}
	case '{':
		s.braces = append(s.braces, ofBlock)
	case '}':
		if n := len(s.braces) - 1; n >= 0 {
			of := s.braces[n]
			s.braces = s.braces[:n]
			if of != ofBlock {
				s.template(of)
				return
			}
		}
	}
	repeated := s.wasAdded && s.text[s.at-1] == c // ++ or --
	s.at++
	s.ended(c == ')' || c == ']' || c == '}' || repeated)
	s.closer = c == ')' || c == '}'
	s.wasAdded = (c == '+' || c == '-') && !repeated
}

// nameHelper is how esbuild's function that sets a name begins.
const nameHelper = "var __name = (target, value) =>"

// A naming is a call of that function: __name(function, "name").
type naming struct {
	from int // where the call begins, with what is said of it
	open int // its parenthesis
}

const pure = "/* @__PURE__ */ "

// beginNaming is at an open parenthesis.
func (s *scanner) beginNaming() *naming {
	if !s.names || s.word != "__name" || !strings.HasSuffix(s.text[:s.at], "__name") {
		return nil
	}
	from := s.at - len("__name")
	return &naming{len(strings.TrimSuffix(s.text[:from], pure)), s.at}
}

// endNaming is at the closing parenthesis. It takes the call away if the function
// has the name without it.
func (s *scanner) endNaming(call *naming) {
	if call == nil || s.literal < call.open || s.text[s.at-1] != '"' || !strings.HasSuffix(s.text[:s.literal], ", ") {
		return
	}
	name := s.text[s.literal+1 : s.at-1]
	comma := s.literal - len(", ")
	of, before := s.text[call.open+1:comma], s.text[:call.from]
	switch {
	case of == name && strings.HasPrefix(s.text[s.at:], ");\n"): // a statement of its own
		s.edit(call.from, s.at+len(");"), "")
	case hasName(of, name), isAnonymous(of) && namesWhatFollows(before, name):
		s.edit(call.from, call.open+1, "")
		s.edit(comma, s.at+1, "")
	}
}

// hasName tells whether an expression is a function with a name of its own.
func hasName(expression, name string) bool {
	_, rest, found := strings.Cut(expression, " ")
	if found && strings.HasPrefix(expression, "async ") {
		_, rest, found = strings.Cut(rest, " ")
	}
	start := strings.TrimSuffix(strings.TrimSuffix(expression, rest), " ")
	if start != "function" && start != "function*" && start != "async function" && start != "async function*" {
		return false
	}
	rest, found = strings.CutPrefix(rest, name)
	return found && strings.HasPrefix(rest, "(")
}

// isAnonymous tells whether an expression is a function without a name.
func isAnonymous(expression string) bool {
	for _, start := range []string{"(", "async (", "function(", "function*(", "async function(", "async function*("} {
		if strings.HasPrefix(expression, start) {
			return true
		}
	}
	return false
}

// namesWhatFollows tells whether a function without a name that comes next gets
// this one: in NAME = FUNCTION and in NAME: FUNCTION.
func namesWhatFollows(before, name string) bool {
	before, declared := strings.CutSuffix(before, " = ")
	if !declared {
		if before, declared = strings.CutSuffix(before, ": "); !declared {
			return false
		}
	}
	before, named := strings.CutSuffix(before, name)
	return named && before != "" && strings.IndexByte(" \n(,", before[len(before)-1]) >= 0
}

// template goes on in a template from a quote or a closing brace on, up to the
// end or the next expression in it.
func (s *scanner) template(of brace) {
	end := s.at + 1
	for end < len(s.text) && s.text[end] != '`' {
		if strings.HasPrefix(s.text[end:], "${") {
			s.templatePart(of, end+2)
			s.braces = append(s.braces, of)
			s.ended(false)
			return
		}
		if s.text[end] == '\\' {
			end++
		}
		end++
	}
	s.templatePart(of, min(end+1, len(s.text)))
}

func (s *scanner) templatePart(of brace, end int) {
	if of == ofTagged {
		s.at = end
		s.ended(true)
		return
	}
	s.skipLiteral(end)
}

// slash goes over a comment, a regular expression or a division.
func (s *scanner) slash() {
	rest := s.text[s.at:]
	switch {
	case strings.HasPrefix(rest, "//"):
		s.comment(strings.IndexByte(rest, '\n'), 0)
	case strings.HasPrefix(rest, "/*"):
		s.comment(strings.Index(rest, "*/"), len("*/"))
	case s.operand && !keywords[s.word] && (!s.closer || strings.HasPrefix(rest, "/ ") || strings.HasPrefix(rest, "/= ")):
		s.at++
		s.ended(false)
	default:
		s.skipLiteral(s.pattern())
	}
}

// comment goes over a comment that ends so far from here.
func (s *scanner) comment(length, closing int) {
	end := len(s.text)
	if length >= 0 {
		end = s.at + length + closing
	}
	s.skip(end, inComment)
}

// quoted is where a string ends.
func (s *scanner) quoted(quote byte) int {
	end := s.at + 1
	for end < len(s.text) && s.text[end] != quote && s.text[end] != '\n' {
		if s.text[end] == '\\' {
			end++
		}
		end++
	}
	return min(end+1, len(s.text))
}

// pattern is where a regular expression ends, before its flags.
func (s *scanner) pattern() int {
	class := false
	end := s.at + 1
	for end < len(s.text) && s.text[end] != '\n' && (class || s.text[end] != '/') {
		switch s.text[end] {
		case '\\':
			end++
		case '[':
			class = true
		case ']':
			class = false
		}
		end++
	}
	return min(end+1, len(s.text))
}

func isWord(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '_' || c == '$' || c == '#' || c == '\\' || c >= 0x80
}

// keywords are words after which an operand comes.
var keywords = map[string]bool{
	"await": true, "case": true, "default": true, "delete": true, "do": true, "else": true, "extends": true,
	"in": true, "instanceof": true, "new": true, "of": true, "return": true, "throw": true, "typeof": true,
	"void": true, "yield": true,
}
