package e2e_test

import (
	"bytes"
	"cmp"
	"image/png"
	"os"
	"path/filepath"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
)

// TestPictures takes the pictures the documents show. They are kept where
// HALLPASS_PICTURES says:
//
//	HALLPASS_PICTURES=$PWD/docs/images go test ./e2e -run Pictures
func TestPictures(t *testing.T) {
	t.Parallel()
	folder := cmp.Or(os.Getenv("HALLPASS_PICTURES"), t.TempDir())
	d := startDemo(t)
	links := d.links(t)
	person := newProfile(t, true)
	call(person, emulation.SetDeviceMetricsOverride, emulation.SetDeviceMetricsOverrideParams{Width: 880, Height: 640, DeviceScaleFactor: 1})
	for name, page := range map[string]string{
		"confirm.png": links["unsubscribe"],
		"audit.png":   d.URL + "/audit",
		"demo.png":    d.URL + "/",
	} {
		person.open(page)
		picture, err := chromedp.Run(person.ctx, chromedp.CaptureScreenshot())
		if err != nil {
			t.Fatal(err)
		}
		if shot, err := png.Decode(bytes.NewReader(picture)); err != nil || shot.Bounds().Dx() != 880 {
			t.Errorf("%s is no picture of the page: %v", name, err)
		}
		if err := os.WriteFile(filepath.Join(folder, name), picture, 0o644); err != nil {
			t.Fatal(err)
		}
	}
}
