package posix

import (
	"fmt"
	"strings"
)

func showChanges(changes []Change) string {
	var b strings.Builder
	for _, c := range changes {
		fmt.Fprintf(&b, "change %d %s: %v -> %v", c.Mount, c.Path, c.Was, c.Kind)
		switch c.Kind {
		case File:
			fmt.Fprintf(&b, " %q", c.Data)
		case Link:
			fmt.Fprintf(&b, " to %s", c.Target)
		}
		b.WriteByte('\n')
	}
	return b.String()
}

func showObservations(observations []Observation) string {
	var b strings.Builder
	for _, o := range observations {
		fmt.Fprintf(&b, "observed %d %s: %v", o.Mount, o.Path, o.Kind)
		if o.Kind == File {
			fmt.Fprintf(&b, " size %d", o.Size)
		}
		if o.Digest != "" {
			fmt.Fprintf(&b, " %s", o.Digest[:15])
		}
		if o.Target != "" {
			fmt.Fprintf(&b, " to %s", o.Target)
		}
		if o.Listed {
			fmt.Fprintf(&b, " entries %v", o.Entries)
		}
		b.WriteByte('\n')
	}
	return b.String()
}
