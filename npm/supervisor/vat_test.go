package supervisor_test

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"carrel/guest/js"
	"carrel/guest/js/bundle"
	"carrel/npm/bundler"
	"carrel/npm/lockdown"
	"carrel/npm/npmtest"
	"carrel/npm/supervisor"
	"carrel/turn"
)

// vat is a vat of two modules and a table.
var vat = map[string]string{
	"vat.js": `import { Far } from './far.js';
import words from './words.json';
export const buildRootObject = () => {
  let count = 0;
  return Far('root', {
    greet(name) {
      count += 1;
      console.log('greet', [name, 1234n, new Map([['count', count]])]);
      return words.hello + ', ' + name;
    },
  });
};
`,
	"far.js": `export const Far = (name, object) => harden(Object.setPrototypeOf(object, Object.create(Object.prototype, {
  [Symbol.for('passStyle')]: { value: 'remotable' },
  [Symbol.toStringTag]: { value: 'Alleged: ' + name },
})));
`,
	"words.json": `{ "hello": "Hello" }`,
}

// TestVat loads the supervisor after our own lockdown bundle, gives it a vat in
// each format of a bundle, and delivers messages.
func TestVat(t *testing.T) {
	made, err := lockdown.Make(context.Background(), t.TempDir(), npmtest.Archives(t))
	if err != nil {
		t.Fatal(err)
	}
	published := npmtest.Read(t, npmtest.File(t, "supervisor.bundle"))
	if bundle.Hash(published) != supervisor.SHA256() {
		t.Fatal("supervisor.bundle is another one")
	}
	dir := t.TempDir()
	for name, text := range vat {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	engine := npmtest.Engine(t)
	img, err := engine.Lockdown(js.Config{}, made[lockdown.Secure], published)
	if err != nil {
		t.Fatal(err)
	}
	for _, format := range []bundle.Format{bundle.GetExport, bundle.NestedEvaluate} {
		t.Run(string(format), func(t *testing.T) {
			b, err := bundler.Bundle(filepath.Join(dir, "vat.js"), bundler.Options{Format: format})
			if err != nil {
				t.Fatal(err)
			}
			text, err := b.Encode()
			if err != nil {
				t.Fatal(err)
			}
			var said []string
			store := map[string]string{}
			w, err := engine.Restore(img, js.Config{Command: func(message []byte) ([]byte, error) {
				answer, line := kernel(t, store, message)
				if line != "" {
					said = append(said, line)
				}
				return json.Marshal(answer)
			}})
			if err != nil {
				t.Fatal(err)
			}
			defer w.Close()
			deliver := func(message, want string) {
				t.Helper()
				reply, err := w.Deliver([]byte(message))
				if err != nil || reply.Outcome.Class != turn.Exit || reply.Thrown != nil {
					t.Fatalf("%.100s: %v, %v, %v", message, reply.Outcome, reply.Thrown, err)
				}
				if !strings.HasPrefix(string(reply.Bytes), want) {
					t.Fatalf("%.100s: %s, want %s", message, reply.Bytes, want)
				}
			}
			deliver(`["setBundle","v1",`+string(text)+`,{}]`, `["dispatchReady"]`)
			deliver(`["deliver",["startVat",{"body":"#{}","slots":[]}]]`, `["ok"`)
			deliver(`["deliver",["message","o+0",{"methargs":{"body":"#[\"greet\",[\"Ada\"]]","slots":[]},"result":"p-60"}]]`, `["ok"`)
			got := strings.Join(said, "\n")
			for _, want := range []string{
				`["sourcedConsole","vat","log","greet","[ 'Ada', 1_234n, Map (1) {'count' => 1} ]"]`,
				`["syscall",["resolve",[["p-60",false,{"body":"#\"Hello, Ada\"","slots":[]}]]]]`,
			} {
				if !strings.Contains(got, want) {
					t.Errorf("the vat asked\n%s\nand not %s", got, want)
				}
			}
		})
	}
}

// kernel answers a vat's syscalls with a store. What is no call of the store is
// given back too.
func kernel(t *testing.T, store map[string]string, message []byte) (answer []any, line string) {
	var command []json.RawMessage
	var call []any
	if err := json.Unmarshal(message, &command); err != nil {
		t.Fatalf("%s: %v", message, err)
	}
	if string(command[0]) != `"syscall"` {
		return []any{"ok"}, string(message)
	}
	if err := json.Unmarshal(command[1], &call); err != nil {
		t.Fatalf("%s: %v", message, err)
	}
	switch call[0] {
	case "vatstoreGet":
		if value, ok := store[call[1].(string)]; ok {
			return []any{"ok", value}, ""
		}
		return []any{"ok", nil}, ""
	case "vatstoreSet":
		store[call[1].(string)] = call[2].(string)
		return []any{"ok", nil}, ""
	case "vatstoreDelete":
		delete(store, call[1].(string))
		return []any{"ok", nil}, ""
	}
	return []any{"ok", nil}, string(message)
}
