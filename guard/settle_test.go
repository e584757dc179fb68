package guard_test

import (
	"context"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/hallpass-go/hallpass"
	"github.com/hallpass-go/hallpass/guard"
)

func TestHowAUseIsSettled(t *testing.T) {
	t.Parallel()
	rows := []struct {
		name    string
		handler http.HandlerFunc
		state   hallpass.UseState
		status  int
		used    int64
	}{
		{"200", func(w http.ResponseWriter, r *http.Request) {}, hallpass.UseSettled, 200, 1},
		{"a client's mistake counts", func(w http.ResponseWriter, r *http.Request) { http.NotFound(w, r) }, hallpass.UseSettled, 404, 1},
		{"a redirect counts", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/x", http.StatusSeeOther) }, hallpass.UseSettled, 303, 1},
		{"500 is given back", func(w http.ResponseWriter, r *http.Request) { http.Error(w, "sorry", 500) }, hallpass.UseRefunded, 500, 0},
		{"a panic is given back", func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, hallpass.UseRefunded, 500, 0},
		{"a panic after the answer began counts", func(w http.ResponseWriter, r *http.Request) {
			io.WriteString(w, "half")
			http.NewResponseController(w).Flush()
			panic(http.ErrAbortHandler)
		}, hallpass.UseSettled, 500, 1},
		{"a flushed 500 counts", func(w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(500)
			http.NewResponseController(w).Flush()
		}, hallpass.UseSettled, 500, 1},
		{"a huge 500 counts", func(w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(500)
			io.WriteString(w, strings.Repeat("x", 70<<10))
		}, hallpass.UseSettled, 500, 1},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t, nil)
			s.mux.Handle("/", s.guard.Require("api", nil)(row.handler))
			issued := s.issue(hallpass.Spec{Scope: "api", MaxUses: 5})
			req, _ := http.NewRequest("GET", s.server.URL+"/", nil)
			req.Header.Set("Authorization", "Bearer "+issued.Token.Reveal())
			if resp, err := newBrowser(t).c.Do(req); err == nil {
				io.Copy(io.Discard, resp.Body)
				resp.Body.Close()
			}
			use := s.settled(issued.ID)
			if use.State != row.state || use.Status != row.status || s.entry(issued.ID).Used != row.used {
				t.Errorf("%s with %d, used %d; want %s with %d, used %d", use.State, use.Status, s.entry(issued.ID).Used, row.state, row.status, row.used)
			}
		})
	}
}

// settled waits for the use's outcome, which is written after the answer.
func (s *site) settled(id string) hallpass.Use {
	s.t.Helper()
	for range 200 {
		if uses := s.uses(id); len(uses) == 1 && uses[0].State != hallpass.UsePending {
			return uses[0]
		}
		time.Sleep(10 * time.Millisecond)
	}
	s.t.Fatalf("the use was not settled: %+v", s.uses(id))
	return hallpass.Use{}
}

func TestABrokenHandlerCannotMakeALinkEndless(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	s.mux.Handle("/", s.guard.Require("api", nil)(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.runs.Add(1)
		w.WriteHeader(500)
	})))
	token := s.issue(hallpass.Spec{Scope: "api", MaxUses: 1}).Token.Reveal()
	var last answer
	for range 6 {
		last = newBrowser(t).do("GET", s.server.URL+"/", nil, "Authorization", "Bearer "+token)
	}
	if s.runs.Load() != 4 || last.code(t) != "spent" {
		t.Errorf("ran %d times, then %s; want 3 refunds and one counted use", s.runs.Load(), last.body)
	}
}

func TestAClientThatHangsUpDoesNotGetItsUseBack(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	ctx, hangUp := context.WithCancel(context.Background())
	s.mux.Handle("/", s.guard.Require("api", nil)(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		hangUp()
		<-r.Context().Done()
		w.WriteHeader(500)
	})))
	issued := s.issue(hallpass.Spec{Scope: "api", MaxUses: 5})
	req, _ := http.NewRequestWithContext(ctx, "GET", s.server.URL+"/", nil)
	req.Header.Set("Authorization", "Bearer "+issued.Token.Reveal())
	if resp, err := http.DefaultClient.Do(req); err == nil {
		resp.Body.Close()
	}
	if use := s.settled(issued.ID); use.State != hallpass.UseSettled || s.entry(issued.ID).Used != 1 {
		t.Errorf("%+v", use)
	}
}

func TestOneClickUnsubscribe(t *testing.T) {
	t.Parallel()
	fail := false
	s := newSite(t, nil)
	opts := &guard.Options{OneClick: true}
	s.mux.Handle("/u", s.guard.Require("unsubscribe", opts)(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.runs.Add(1)
		if fail {
			w.WriteHeader(500)
			return
		}
		http.Redirect(w, r, "/bye", http.StatusSeeOther)
	})))
	click := func(link string, headers ...string) answer {
		headers = append([]string{"Content-Type", "application/x-www-form-urlencoded"}, headers...)
		return newBrowser(t).do("POST", link, strings.NewReader("List-Unsubscribe=One-Click"), headers...)
	}
	link := s.link("/u", unsubscribe)
	for range 3 {
		if a := click(link); a.status != 200 || a.header.Get("Location") != "" || a.header.Get("Set-Cookie") != "" {
			t.Fatalf("%d %v", a.status, a.header)
		}
	}
	if s.runs.Load() != 1 {
		t.Errorf("the handler ran %d times", s.runs.Load())
	}
	for name, link := range map[string]string{
		"forged":  s.server.URL + "/u?rt=nonsense",
		"foreign": s.link("/u", api),
		"session": s.link("/u", hallpass.Spec{Scope: "unsubscribe", Mode: hallpass.ModeSession, Subject: "hugo"}),
	} {
		if a := click(link); a.status != 200 || a.header.Get("Set-Cookie") != "" {
			t.Errorf("%s: %d %v", name, a.status, a.header)
		}
	}
	if s.runs.Load() != 1 {
		t.Errorf("a bad token ran the handler")
	}
	multi := "--b\r\nContent-Disposition: form-data; name=\"List-Unsubscribe\"\r\n\r\nOne-Click\r\n--b--\r\n"
	a := newBrowser(t).do("POST", s.link("/u", unsubscribe), strings.NewReader(multi), "Content-Type", "multipart/form-data; boundary=b")
	if a.status != 200 || s.runs.Load() != 2 {
		t.Errorf("multipart: %d, ran %d times", a.status, s.runs.Load())
	}
	fail = true
	link = s.link("/u", unsubscribe)
	if a := click(link); a.status != 503 {
		t.Errorf("an outage: %d", a.status)
	}
	fail = false
	if a := click(link); a.status != 200 || s.runs.Load() != 4 {
		t.Errorf("the retry: %d, ran %d times", a.status, s.runs.Load())
	}
	headers := guard.ListUnsubscribe(link)
	if headers["List-Unsubscribe"] != "<"+link+">" || headers["List-Unsubscribe-Post"] != "List-Unsubscribe=One-Click" {
		t.Errorf("%v", headers)
	}
}

func TestTemplateHelpersCarryTheTokenOn(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	s.mux.Handle("/", s.guard.Require("api", &guard.Options{Confirm: guard.ConfirmNever})(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := guard.FromContext(r.Context())
		io.WriteString(w, string(h.HiddenField())+"\n"+string(h.QueryString()))
	})))
	issued := s.issue(api)
	token := issued.Token.Reveal()
	a := newBrowser(t).do("GET", s.server.URL+"/?rt="+token, nil)
	want(t, a, 200, `<input type="hidden" name="rt" value="`+token+`">`+"\nrt="+token)
	var none *guard.Honoured
	if none.HiddenField() != "" || none.QueryString() != "" {
		t.Error("helpers without a pass say something")
	}
}

func TestTheClientAddressComesFromTrustedProxiesOnly(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	s.handle("/", "api", nil)
	issued := s.issue(hallpass.Spec{Scope: "api", MaxUses: 5})
	newBrowser(t).do("GET", s.server.URL+"/", nil, "Authorization", "Bearer "+issued.Token.Reveal(), "X-Forwarded-For", "8.8.8.8")
	if use := s.settled(issued.ID); use.ClientIP != "127.0.0.1" {
		t.Errorf("an untrusted peer named itself %s", use.ClientIP)
	}
}
