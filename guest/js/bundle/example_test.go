package bundle_test

import (
	"fmt"
	"log"

	"carrel/guest/js/bundle"
)

func ExampleRead() {
	b, err := bundle.Read([]byte(`{"moduleFormat":"getExport","source":"() => ({ answer: 42 })","sourceMap":""}`))
	if err != nil {
		log.Fatal(err)
	}
	id, err := b.ID()
	if err != nil {
		log.Fatal(err)
	}
	script, err := b.Script()
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(id)
	fmt.Println(script)
	// Output:
	// b0-371331abf6dfaf9298150eb2a93a4ee2908552536cf1ffcd2f6419e12c7c6184
	// (() => ({ answer: 42 })
	// )()
}
