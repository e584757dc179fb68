package look_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"

	"github.com/hallpass-go/hallpass/internal/look"
)

func TestABrowserSaysThatNobodyPressed(t *testing.T) {
	t.Parallel()
	const (
		chrome  = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36"
		firefox = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
		safari  = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0 Safari/605.1.15"
		onIOS   = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) CriOS/140.0 Mobile/15E148 Safari/604.1"
	)
	for name, tt := range map[string]struct {
		agent, mode, user, pressed string
		want                       bool
	}{
		"a press in Chrome":                             {chrome, "navigate", "?1", "", false},
		"a press in Firefox":                            {firefox, "navigate", "?1", "", false},
		"a script in Chrome":                            {chrome, "navigate", "", "", true},
		"a script in Firefox":                           {firefox, "navigate", "", "", true},
		"a script in Chrome that says what no one says": {chrome, "navigate", "?0", "", true},
		"Safari, which marks no presses":                {safari, "navigate", "", "", false},
		"Chrome on iOS, which is Safari":                {onIOS, "navigate", "", "", false},
		"an old browser, or no TLS":                     {chrome, "", "", "", false},
		"a program":                                     {"curl/8.0", "", "", "", false},
		"fetch":                                         {safari, "cors", "", "", true},
		"fetch of one's own":                            {chrome, "same-origin", "", "", true},
		"a box that is ticked":                          {chrome, "navigate", "", "yes", false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := httptest.NewRequest(http.MethodPost, "/", nil)
			for header, value := range map[string]string{"User-Agent": tt.agent, "Sec-Fetch-Mode": tt.mode, "Sec-Fetch-User": tt.user} {
				if value != "" {
					r.Header.Set(header, value)
				}
			}
			form := url.Values{}
			if tt.pressed != "" {
				form.Set(look.PressedField, tt.pressed)
			}
			if got := look.SentByScript(r, form); got != tt.want {
				t.Errorf("SentByScript = %v, want %v", got, tt.want)
			}
		})
	}
}
