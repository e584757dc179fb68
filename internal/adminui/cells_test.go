package adminui_test

import (
	"testing"

	"github.com/hallpass-go/hallpass/internal/adminui"
)

func TestNoCellBeginsAFormula(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"": "", "42": "42", "hugo@example.com": "hugo@example.com", "a-b": "a-b", "Mozilla/5.0 (X11; Linux x86_64)": "Mozilla/5.0 (X11; Linux x86_64)",
		"=1+1": "'=1+1", "+1": "'+1", "-2": "'-2", "@x": "'@x", " =2+2": "' =2+2", "＝3+3": "'＝3+3",
		"x;=1+1;y": "x;'=1+1;y", "x\t=1": "x\t'=1", "\tx": "'\tx", "x\r\n=1": "x\r\n'=1", "x; @y": "x;' @y", "a|-b": "a|'-b",
	} {
		if got := adminui.SafeCell(text); got != want {
			t.Errorf("%q becomes %q, want %q", text, got, want)
		}
	}
}
