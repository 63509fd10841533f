package main

import (
	"context"

	"carrel/machine"
)

// small measures what is short: a start, a rewrite.
func (o *options) small(_ context.Context, _ *page, _ []machine.Engine) error { return nil }
