package seal

// A Context is one purpose that keys sign for. The payload type is part of what
// is signed, and so is the predicate type inside the payload, so a signature
// made for one purpose is worth nothing for another.
type Context struct {
	Name          string // for people
	PayloadType   string // of the envelope
	PredicateType string // of the in-toto statement in the payload, if it is one
}

const (
	// PayloadInToto is the payload type of every in-toto statement.
	PayloadInToto = "application/vnd.in-toto+json"
	// PredicateReceipt names version 1 of the statement of one turn, for good.
	PredicateReceipt = "urn:carrel:receipt:v1"
	// PredicateBuild names version 1 of the statement of several turns, for good.
	PredicateBuild = "urn:carrel:build:v1"
)

// Receipt is the statement of one turn (package receipt).
var Receipt = Context{Name: "receipt", PayloadType: PayloadInToto, PredicateType: PredicateReceipt}

// Build is the statement of a command that took several turns (package receipt).
var Build = Context{Name: "build", PayloadType: PayloadInToto, PredicateType: PredicateBuild}

// Contexts is the registry: everything that a Carrel key ever signs. Nothing is
// signed outside of an envelope.
func Contexts() []Context { return []Context{Receipt, Build} }

func registered(context Context) bool {
	for _, c := range Contexts() {
		if c == context {
			return true
		}
	}
	return false
}
