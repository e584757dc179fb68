package interstitial_test

import (
	"bytes"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/hallpass-go/hallpass"
	"github.com/hallpass-go/hallpass/internal/interstitial"
)

func refused(t *testing.T, p *interstitial.Pages, v interstitial.RefusedView) *httptest.ResponseRecorder {
	t.Helper()
	w := httptest.NewRecorder()
	if err := p.Refused(w, httptest.NewRequest("GET", "/", nil), v); err != nil {
		t.Fatal(err)
	}
	return w
}

func TestRefusalsWithOnePublicFormAreOnePage(t *testing.T) {
	t.Parallel()
	p := newPages(t, nil)
	want := refused(t, p, interstitial.RefusedView{Refusal: hallpass.RefusalBadSignature, Now: noon})
	collapsed := 0
	for _, reason := range hallpass.Refusals() {
		if reason.Public() != hallpass.RefusalBadSignature {
			continue
		}
		collapsed++
		entry, fresh := requestEntry(), action()
		for name, v := range map[string]interstitial.RefusedView{
			"bare":            {Refusal: reason, Now: noon},
			"later":           {Refusal: reason, Now: noon.Add(time.Hour)},
			"with everything": {Refusal: reason, Entry: &entry, Sentence: "s", Account: "a", SignedInAs: "b", FreshLink: &fresh, Now: noon},
		} {
			got := refused(t, p, v)
			if !bytes.Equal(got.Body.Bytes(), want.Body.Bytes()) {
				t.Errorf("%s, %s: the page differs from that of %s", reason, name, hallpass.RefusalBadSignature)
			}
			if got.Code != want.Code || got.Header().Get("Content-Security-Policy") != want.Header().Get("Content-Security-Policy") {
				t.Errorf("%s, %s: the status or policy differs", reason, name)
			}
		}
	}
	if collapsed < 6 {
		t.Errorf("only %d refusals share a page", collapsed)
	}
}

func TestEveryPublicRefusalHasItsOwnWords(t *testing.T) {
	t.Parallel()
	p, texts := newPages(t, nil), interstitial.English()
	titles := map[string]hallpass.Refusal{}
	for _, reason := range hallpass.Refusals() {
		if reason.Public() != reason {
			continue
		}
		page := refused(t, p, interstitial.RefusedView{Refusal: reason, Now: noon}).Body.String()
		for _, part := range []string{"title", "happened", "safe", "next"} {
			id := "refused." + string(reason) + "." + part
			if texts[id] == "" {
				t.Errorf("there is no text %s", id)
			}
			if !strings.Contains(page, texts[id]) {
				t.Errorf("the page of %s does not show %s", reason, id)
			}
		}
		title := texts["refused."+string(reason)+".title"]
		if other, taken := titles[title]; taken {
			t.Errorf("%s and %s have one title", reason, other)
		}
		titles[title] = reason
		if !strings.Contains(page, "<code>"+string(reason)+"</code>") {
			t.Errorf("the page of %s does not show its code", reason)
		}
	}
}

func TestAFreshLinkIsOfferedForExpiredAndSpentOnly(t *testing.T) {
	t.Parallel()
	p := newPages(t, nil)
	for _, reason := range hallpass.Refusals() {
		entry, fresh := requestEntry(), action()
		page := refused(t, p, interstitial.RefusedView{Refusal: reason, Entry: &entry, FreshLink: &fresh, Now: noon}).Body.String()
		want := reason == hallpass.RefusalExpired || reason == hallpass.RefusalSpent
		if got := strings.Contains(page, ">Send me a fresh link</button>") && strings.Contains(page, "the-nonce"); got != want {
			t.Errorf("%s: offered %t, want %t", reason, got, want)
		}
		page = refused(t, p, interstitial.RefusedView{Refusal: reason, Entry: &entry, Now: noon}).Body.String()
		if strings.Contains(page, "<form") {
			t.Errorf("%s: there is a form although the application offers none", reason)
		}
	}
}

func TestTheRefusedCardTellsTheReason(t *testing.T) {
	t.Parallel()
	p := newPages(t, nil)
	tests := []struct {
		reason hallpass.Refusal
		change func(e *hallpass.Entry)
		want   []string
	}{
		{hallpass.RefusalExpired, func(e *hallpass.Entry) { e.ExpiresAt = noon.Add(-48 * time.Hour) }, []string{"Expired", "Ended", "2 days ago", "no more"}},
		{hallpass.RefusalSpent, func(e *hallpass.Entry) { e.Used = 10 }, []string{"Used up", "no more"}},
		{hallpass.RefusalRevoked, nil, []string{"Taken back", "no more"}},
		{hallpass.RefusalNotYetValid, func(e *hallpass.Entry) { e.NotBefore = noon.Add(2 * time.Hour) }, []string{"Not yet", "in 2 hours"}},
		{hallpass.RefusalWrongScope, nil, []string{"Refused", "7 more times"}},
		{hallpass.RefusalNeedsConfirmation, nil, []string{"Waiting for you"}},
	}
	for _, tt := range tests {
		entry := requestEntry()
		if tt.change != nil {
			tt.change(&entry)
		}
		page := refused(t, p, interstitial.RefusedView{Refusal: tt.reason, Entry: &entry, Now: noon}).Body.String()
		for _, want := range append(tt.want, "A link to continue as h•••o@example.com") {
			if !strings.Contains(page, want) {
				t.Errorf("%s: the page does not say %q", tt.reason, want)
			}
		}
	}
}

func TestWrongSubjectNamesBothMasked(t *testing.T) {
	t.Parallel()
	entry := requestEntry()
	page := refused(t, newPages(t, nil), interstitial.RefusedView{Refusal: hallpass.RefusalWrongSubject, Entry: &entry, SignedInAs: "anna@example.com", Now: noon}).Body.String()
	if !strings.Contains(page, "You are signed in as a•••a@example.com, and the link was made for h•••o@example.com.") {
		t.Error("the page does not name both")
	}
}

func TestRefusedAnswersTheStatusItWasGiven(t *testing.T) {
	t.Parallel()
	for status, want := range map[int]int{0: 403, 401: 401, 403: 403} {
		if got := refused(t, newPages(t, nil), interstitial.RefusedView{Status: status, Refusal: hallpass.RefusalExpired, Now: noon}).Code; got != want {
			t.Errorf("status %d gives %d, want %d", status, got, want)
		}
	}
}
