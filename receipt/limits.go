package receipt

// Limits of a receipt, beside seal.PayloadBytesMax for the whole.
const (
	// TextsMax bounds how many arguments there are, and how many variables.
	TextsMax = 1 << 16
	// TextBytesMax bounds one argument, variable, path, name or remark.
	TextBytesMax = 1 << 20
	// SeedBytesMax bounds the seed: it has twice as many digits.
	SeedBytesMax = 1 << 10
	// TurnsMax bounds the turns of a build.
	TurnsMax = 1 << 14
	// MountsMax bounds the mounts.
	MountsMax = 1 << 10
	// SecretsMax bounds the secrets.
	SecretsMax = 1 << 10
	// ObservationsMax bounds the observations of one mount, the entries of one
	// listing, and the changes of one mount.
	ObservationsMax = 1 << 20
)
