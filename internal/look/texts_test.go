package look_test

import (
	"html/template"
	"strings"
	"testing"
	"time"

	"github.com/hallpass-go/hallpass"
	"github.com/hallpass-go/hallpass/internal/look"
)

var noon = time.Date(2025, 11, 21, 12, 0, 0, 0, time.UTC)

func TestRelative(t *testing.T) {
	t.Parallel()
	texts := look.English()
	const day = 24 * time.Hour
	tests := []struct {
		after time.Duration
		want  string
	}{
		{0, "just now"},
		{20 * time.Second, "in a moment"},
		{-44 * time.Second, "just now"},
		{45 * time.Second, "in 1 minute"},
		{-2 * time.Minute, "2 minutes ago"},
		{10*time.Minute - 3*time.Second, "in 10 minutes"},
		{time.Hour, "in 60 minutes"},
		{89*time.Minute + 40*time.Second, "in 90 minutes"},
		{91 * time.Minute, "in 2 hours"},
		{2*time.Hour + 10*time.Minute, "in 2 hours"},
		{-23*time.Hour - 59*time.Minute, "24 hours ago"},
		{2 * day, "in 2 days"},
		{3*day - time.Second, "in 3 days"},
		{-30 * day, "30 days ago"},
		{90 * day, "in 3 months"},
		{-365 * day, "12 months ago"},
		{3 * 365 * day, "in 3 years"},
		{200 * 365 * day, "in 200 years"},
	}
	for _, tt := range tests {
		if got := texts.Relative(noon, noon.Add(tt.after)); got != tt.want {
			t.Errorf("Relative(%v) = %q, want %q", tt.after, got, tt.want)
		}
	}
	if got := texts.Relative(noon, time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)); !strings.HasSuffix(got, "years") {
		t.Errorf("a time beyond what a Duration can hold gives %q", got)
	}
}

func TestWhenCarriesTheExactAndTheMachineForm(t *testing.T) {
	t.Parallel()
	texts := look.English()
	at := noon.Add(72 * time.Hour)
	tests := []struct {
		name string
		got  template.HTML
		want template.HTML
	}{
		{"relative", texts.When(noon, at), `<time datetime="2025-11-24T12:00:00Z" title="Monday 24 November 2025, 12:00 UTC">in 3 days</time>`},
		{"exact", texts.On(noon, at), `<time datetime="2025-11-24T12:00:00Z" title="in 3 days">Mon 24 Nov 2025, 12:00 UTC</time>`},
		{"in the reader's zone", texts.On(noon.In(time.FixedZone("CET", 3600)), at), `<time datetime="2025-11-24T13:00:00+01:00" title="in 3 days">Mon 24 Nov 2025, 13:00 CET</time>`},
		{"with seconds", texts.On(noon, at.Add(5*time.Second)), `<time datetime="2025-11-24T12:00:05Z" title="in 3 days">Mon 24 Nov 2025, 12:00:05 UTC</time>`},
		{"never", texts.When(noon, time.Time{}), `–`},
	}
	for _, tt := range tests {
		if tt.got != tt.want {
			t.Errorf("%s: got %s, want %s", tt.name, tt.got, tt.want)
		}
	}
}

func TestMask(t *testing.T) {
	t.Parallel()
	tests := []struct{ account, want string }{
		{"hugo@example.com", "h•••o@example.com"},
		{"a-very-long-name@example.com", "a•••e@example.com"},
		{"bob@example.com", "b•••@example.com"},
		{"x@example.com", "•••@example.com"},
		{"@example.com", "•••@example.com"},
		{`"a@evil"@example.com`, `"•••"@example.com`},
		{"42", "4•••"},
		{"7", "•••"},
		{"", ""},
		{"überall@example.com", "ü•••l@example.com"},
		{"hugo@\u202emoc.elpmaxe", "h•••o@\ufffdmoc.elpmaxe"},
		{"a\x00\r\nb@example.com", "a•••b@example.com"},
		{"\xffabc@example.com", "\ufffd•••c@example.com"},
		{"ab\xff", "a•••"},
	}
	for _, tt := range tests {
		if got := look.Mask(tt.account); got != tt.want {
			t.Errorf("Mask(%q) = %q, want %q", tt.account, got, tt.want)
		}
	}
}

func TestShortShowsTheWholeOnDemandOnly(t *testing.T) {
	t.Parallel()
	texts := look.English()
	const id = "0193f2a1-7b3c-7def-8123-456789abcdef"
	got := string(texts.Short(id))
	summary, rest, _ := strings.Cut(got, "</summary>")
	if strings.Contains(summary, id) || !strings.Contains(summary, "0193f2a1…abcdef") || !strings.Contains(rest, id) {
		t.Errorf("Short(%q) = %s", id, got)
	}
	if got := texts.Short("k1"); got != `<code class="id">k1</code>` {
		t.Errorf("a short id became %s", got)
	}
	for _, hostile := range []string{"<script>", strings.Repeat("<script>", 9)} {
		if got := string(texts.Short(hostile)); strings.Contains(got, "<script") {
			t.Errorf("Short does not escape: %s", got)
		}
	}
}

func TestEveryStateHasAWordAndAShape(t *testing.T) {
	t.Parallel()
	texts := look.English()
	states := []string{
		"honoured", "refused", "waiting", "done", "sent", "asked", "again", "later",
		string(hallpass.StateActive), string(hallpass.StateNotYetValid), string(hallpass.StateExpired),
		string(hallpass.StateSpent), string(hallpass.StateRevoked),
		string(hallpass.UsePending), string(hallpass.UseSettled), string(hallpass.UseRefunded),
		string(hallpass.UseForwarded), string(hallpass.UseUnknown),
	}
	for _, state := range states {
		s := texts.Stamp(state)
		if s.Word == state || s.Word == "" {
			t.Errorf("state %q has no word", state)
		}
		if s.Shape == "dot" && state != string(hallpass.UseUnknown) {
			t.Errorf("state %q has no shape of its own", state)
		}
	}
	if got, want := texts.Stamp("brand_new"), (look.Stamp{Word: "brand_new", Shape: "dot", Tone: "quiet"}); got != want {
		t.Errorf("an unknown state is %+v, want %+v", got, want)
	}
}

func TestTextsAreReplacedOneByOne(t *testing.T) {
	t.Parallel()
	german, err := look.English().With(look.Texts{"lang": "de", "time.days.in.one": "morgen", "time.days.in.other": "in {n} Tagen"})
	if err != nil {
		t.Fatal(err)
	}
	if got := german.Relative(noon, noon.Add(72*time.Hour)); got != "in 3 Tagen" {
		t.Errorf("got %q", got)
	}
	if got := german.Relative(noon, noon.Add(-72*time.Hour)); got != "3 days ago" {
		t.Errorf("a text that was not replaced is %q", got)
	}
	for over, want := range map[string]look.Texts{
		`unknown message id "time.dayz"`:                                    {"time.dayz": "x"},
		`message "date.exact" has no placeholder {hour}`:                    {"date.exact": "{hour}"},
		`message "card.uses.whole.other" has no placeholder {surprisingly}`: {"card.uses.whole.other": "{n} {surprisingly}"},
	} {
		if _, err := look.English().With(want); err == nil || !strings.Contains(err.Error(), over) {
			t.Errorf("With(%v) = %v, want %q", want, err, over)
		}
	}
}

func TestAValueIsNeverReadAsAText(t *testing.T) {
	t.Parallel()
	texts := look.Texts{"x": "{a} and {b}"}
	if got := texts.Text("x", "a", "{b}", "b", "{a}"); got != "{b} and {a}" {
		t.Errorf("got %q", got)
	}
	if got := texts.Text("x", "a"); got != "{a} and {b}" {
		t.Errorf("half a pair gives %q", got)
	}
	if got := texts.Text("nope"); got != "nope" {
		t.Errorf("an unknown id gives %q", got)
	}
}

func TestOften(t *testing.T) {
	t.Parallel()
	texts := look.English()
	tests := []struct {
		max, left int64
		want      string
	}{
		{0, 0, "as often as needed"},
		{1, 1, "once"},
		{10, 10, "10 times"},
		{10, 7, "7 more times"},
		{10, 1, "once more"},
		{10, 0, "no more"},
	}
	for _, tt := range tests {
		if got := texts.Often(tt.max, tt.left); got != tt.want {
			t.Errorf("Often(%d, %d) = %q, want %q", tt.max, tt.left, got, tt.want)
		}
	}
}
