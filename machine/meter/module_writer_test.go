package meter

import "testing"

func TestCodeMeteredMax(t *testing.T) {
	code := make([]byte, codeMeteredMax-1, codeMeteredMax+8) // never touched
	appendBody(code, []byte{0x0b})
	defer func() {
		if _, ok := recover().(*Refusal); !ok {
			t.Error("more code than the limit was not refused")
		}
	}()
	appendBody(code, []byte{0, 0x0b})
}
