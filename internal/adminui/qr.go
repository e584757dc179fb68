package adminui

import (
	"fmt"
	"html/template"
	"strings"

	"github.com/boombuler/barcode/qr"
)

// qrQuiet is the empty border that readers need, in modules (ISO/IEC 18004 5.3.8).
const qrQuiet = 4

// qrSVG draws a text as a QR code, dark on light in both colour schemes because
// readers expect it so. A text that is too long for one
// (ISO/IEC 18004 table 7: 2953 bytes) has none.
func qrSVG(text string) template.HTML {
	code, err := qr.Encode(text, qr.M, qr.Auto)
	if err != nil {
		if code, err = qr.Encode(text, qr.L, qr.Auto); err != nil {
			return ""
		}
	}
	size := code.Bounds().Dx()
	var path strings.Builder
	for y := range size {
		for x := 0; x < size; x++ {
			run := 0
			for x+run < size && isDark(code.At(x+run, y).RGBA()) {
				run++
			}
			if run > 0 {
				fmt.Fprintf(&path, "M%d %dh%dv1h-%dz", x+qrQuiet, y+qrQuiet, run, run)
				x += run
			}
		}
	}
	whole := size + 2*qrQuiet
	return template.HTML(fmt.Sprintf(
		`<svg class="qr" viewBox="0 0 %d %d" role="img" aria-label="QR code of the link" focusable="false" shape-rendering="crispEdges"><path fill="#ffffff" d="M0 0h%dv%dH0z"/><path fill="#000000" d="%s"/></svg>`,
		whole, whole, whole, whole, path.String()))
}

func isDark(r, _, _, _ uint32) bool { return r < 0x8000 }
