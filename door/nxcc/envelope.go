package nxcc

// An Envelope is all that came of an invocation.
type Envelope struct {
	OK             bool     `json:"ok"`
	Error          *Problem `json:"error"`
	Zenroom        Zenroom  `json:"zenroom"`
	SelectedOutput any      `json:"selected_output"`
	Postbacks      []Posted `json:"postbacks"`
	Timing         Timing   `json:"timing"`

	parsed, selected bool // whether there are StdoutJSON and SelectedOutput, which may be null
}

// A Problem is why something failed. The codes are nXCC's.
type Problem struct {
	Code    string `json:"code"`
	Message string `json:"message"`
}

// Zenroom is how the script ended.
type Zenroom struct {
	ExitCode         int    `json:"exit_code"` // -1: it did not end by itself
	Stdout           string `json:"stdout"`
	Stderr           string `json:"stderr"`
	StdoutJSON       any    `json:"stdout_json"`
	StdoutOverflowed bool   `json:"stdout_overflowed"`
	StderrOverflowed bool   `json:"stderr_overflowed"`
}

// Posted is what came of a target of postbacks.
type Posted struct {
	Target   int      `json:"target_index"`
	Kind     string   `json:"kind"`
	OK       bool     `json:"ok"`
	Status   *int     `json:"status"`
	Duration int64    `json:"duration_ms"` // retries included
	Response *string  `json:"response_body_truncated"`
	Error    *Problem `json:"error"`
}

// Timing is in milliseconds.
type Timing struct {
	Total int64 `json:"total_ms"` // up to the end of the script, without postbacks
}

// newEnvelope is one of which nothing has happened.
func newEnvelope() *Envelope {
	return &Envelope{Zenroom: Zenroom{ExitCode: -1}, Postbacks: []Posted{}}
}

// failed notes the first thing that failed.
func (e *Envelope) failed(code, message string) *Envelope {
	e.OK = false
	if e.Error == nil {
		e.Error = &Problem{code, message}
	}
	return e
}

// JSON is the envelope as nXCC writes it: its own fields in their order, the names of
// all other objects in theirs.
func (e *Envelope) JSON() []byte { return encode(e) }

// An Answer is what answers a Request.
type Answer struct {
	Status      int
	ContentType string
	Body        []byte
}

const (
	typeJSON = "application/json"
	typeText = "text/plain"
)

// answer is what a worker answers HTTP with. Stdout is what was printed, to the byte.
func (u *Userdata) answer(e *Envelope, stdout []byte) *Answer {
	switch {
	case !e.OK:
		return &Answer{500, typeJSON, e.JSON()}
	case u.Response == ResponseStdout:
		if _, err := decode(stdout); err != nil {
			return &Answer{200, typeText, stdout}
		}
		return &Answer{200, typeJSON, stdout}
	case u.Response == ResponseSelected && e.selected:
		return &Answer{200, typeJSON, encode(e.SelectedOutput)}
	case u.Response == ResponseSelected:
		return &Answer{200, typeJSON, encode(e.Zenroom.StdoutJSON)}
	}
	return &Answer{200, typeJSON, e.JSON()}
}
