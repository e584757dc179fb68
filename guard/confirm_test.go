package guard_test

import (
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hallpass-go/hallpass"
	"github.com/hallpass-go/hallpass/guard"
)

var unsubscribe = hallpass.Spec{Scope: "unsubscribe", Mode: hallpass.ModeRequest, Subject: "hugo", MaxUses: 1}

func TestALinkIsHonouredOnceAfterOnePress(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	s.handle("/unsubscribe", "unsubscribe", nil)
	issued := s.issue(unsubscribe)
	link, _ := s.guard.Link(s.server.URL+"/unsubscribe?list=a&list=b#top", issued.Token)
	b := newBrowser(t)

	page := b.open(link)
	want(t, page, 200, "<form")
	if s.runs.Load() != 0 || s.entry(issued.ID).Used != 0 {
		t.Fatal("opening the link used it")
	}
	if strings.Contains(page.body, "<script") || page.header.Get("Cache-Control") != "no-store" || page.header.Get("Referrer-Policy") != "no-referrer" {
		t.Errorf("the page is not inert: %v", page.header)
	}
	done := b.press(link, page)
	want(t, done, 200, "GET /unsubscribe?list=a&list=b subject=hugo")
	if uses := s.uses(issued.ID); len(uses) != 1 || uses[0].State != hallpass.UseSettled || uses[0].Status != 200 ||
		uses[0].ClientIP != "127.0.0.1" || uses[0].Method != "GET" || uses[0].Path != "/unsubscribe" || uses[0].Subject != "hugo" {
		t.Errorf("audit: %+v", uses)
	}
	again := b.open(link)
	want(t, again, 403, "spent")
}

func TestAFormThatAScriptSentCountsNothingAndAsksForATick(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	s.handle("/unsubscribe", "unsubscribe", nil)
	issued := s.issue(unsubscribe)
	link, _ := s.guard.Link(s.server.URL+"/unsubscribe", issued.Token)
	b := newBrowser(t)
	page := b.open(link)
	if strings.Contains(page.body, "checkbox") {
		t.Error("whoever opens the link is asked for a tick")
	}
	byScript := []string{"User-Agent", "Mozilla/5.0 (X11; Linux x86_64) Chrome/140.0.0.0", "Sec-Fetch-Mode", "navigate"}
	for range 3 {
		page = b.sendForm(link, page, nil, byScript...)
		want(t, page, 200, `name="pressed"`)
	}
	if s.runs.Load() != 0 || s.entry(issued.ID).Used != 0 {
		t.Fatal("a script used the link")
	}
	want(t, b.sendForm(link, page, []string{"pressed", "yes"}, byScript...), 200, "GET /unsubscribe subject=hugo")
	want(t, b.sendForm(link, page, nil, byScript...), 200, "GET /unsubscribe subject=hugo") // the page loaded again
	if uses := s.uses(issued.ID); len(uses) != 1 {
		t.Errorf("%d uses", len(uses))
	}
	link = s.link("/unsubscribe", unsubscribe)
	want(t, b.sendForm(link, b.open(link), nil, append(byScript, "Sec-Fetch-User", "?1")...), 200, "GET /unsubscribe subject=hugo")
}

func TestADoubleClickIsOneUseWithOneAnswer(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	release := make(chan struct{})
	s.mux.Handle("/slow", s.guard.Require("unsubscribe", nil)(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.runs.Add(1)
		<-release
		w.Header().Set("X-Answer", "first")
		w.Write([]byte("done once"))
	})))
	link := s.link("/slow", unsubscribe)
	b := newBrowser(t)
	page := b.open(link)
	var wg sync.WaitGroup
	answers := make([]answer, 5)
	for i := range answers {
		wg.Go(func() { answers[i] = b.press(link, page) })
	}
	time.Sleep(50 * time.Millisecond)
	close(release)
	wg.Wait()
	for _, a := range answers {
		want(t, a, 200, "done once")
		if a.header.Get("X-Answer") != "first" {
			t.Error("the repeat lost a header")
		}
	}
	if s.runs.Load() != 1 {
		t.Errorf("the handler ran %d times", s.runs.Load())
	}
	want(t, b.press(link, page), 200, "done once")
}

func TestAPressOnAnotherNodeSaysAlreadyDone(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	s.handle("/u", "unsubscribe", nil)
	link := s.link("/u", unsubscribe)
	b := newBrowser(t)
	page := b.open(link)
	want(t, b.press(link, page), 200, "subject=hugo")
	// A second guard over the same issuer is another node: it remembers no answer.
	other, err := guard.New(guard.Config{Issuer: s.issuer})
	if err != nil {
		t.Fatal(err)
	}
	s.mux = http.NewServeMux()
	s.mux.Handle("/u", other.Require("unsubscribe", nil)(http.HandlerFunc(s.say)))
	want(t, b.press(link, page), 200, "lready done")
	if s.runs.Load() != 1 {
		t.Errorf("the handler ran %d times", s.runs.Load())
	}
}

func TestFiftyBrowsersConfirmOneSingleUseLink(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	s.handle("/u", "unsubscribe", nil)
	link := s.link("/u", unsubscribe)
	var wg sync.WaitGroup
	var mu sync.Mutex
	count := map[int]int{}
	start := make(chan struct{})
	for range 50 {
		b := newBrowser(t)
		page := b.open(link)
		wg.Go(func() {
			<-start
			a := b.press(link, page)
			mu.Lock()
			count[a.status]++
			mu.Unlock()
			if a.status == 403 && !strings.Contains(a.body, "spent") {
				t.Errorf("a loser was told:\n%s", a.body)
			}
		})
	}
	close(start)
	wg.Wait()
	if count[200] != 1 || count[403] != 49 {
		t.Errorf("statuses %v, want one 200 and 49 403", count)
	}
}

func TestMachinesThatLookUseNothing(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	s.handle("/u", "unsubscribe", &guard.Options{Confirm: guard.ConfirmNever})
	rows := []struct {
		name, method string
		headers      []string
		status       int
	}{
		{"HEAD", "HEAD", nil, 200},
		{"OPTIONS", "OPTIONS", nil, 204},
		{"a prefetch by Sec-Purpose", "GET", []string{"Sec-Purpose", "prefetch;prerender"}, 200},
		{"a prefetch by Purpose", "GET", []string{"Purpose", "prefetch"}, 200},
		{"a preview by X-Purpose", "GET", []string{"X-Purpose", "preview"}, 200},
		{"a prefetch by X-Moz", "GET", []string{"X-Moz", "prefetch"}, 200},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			issued := s.issue(unsubscribe)
			link, _ := s.guard.Link(s.server.URL+"/u", issued.Token)
			b := newBrowser(t)
			ahead := b.do(row.method, link, nil, row.headers...)
			if ahead.status != row.status {
				t.Errorf("status %d, want %d", ahead.status, row.status)
			}
			if used := s.entry(issued.ID).Used; used != 0 {
				t.Errorf("used %d times", used)
			}
			if row.method == "GET" { // a browser may show what it fetched ahead: then its button works
				want(t, b.press(link, ahead), 200, "subject=hugo")
				return
			}
			want(t, b.open(link), 200, "subject=hugo")
		})
	}
}

func TestWhenTheButtonDoesNotCount(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	s.handle("/u", "unsubscribe", nil)
	s.handle("/v", "unsubscribe", nil)
	rows := []struct {
		name  string
		press func(t *testing.T, link string) answer
		want  int
		part  string
	}{
		{"without the cookie it explains itself", func(t *testing.T, link string) answer {
			page := newBrowser(t).open(link)
			return newBrowser(t).press(link, page)
		}, 403, "cookie"},
		{"another browser's nonce shows the page anew", func(t *testing.T, link string) answer {
			page := newBrowser(t).open(link)
			b := newBrowser(t)
			b.open(link)
			return b.press(link, page)
		}, 200, "<form"},
		{"a nonce for another path shows the page anew", func(t *testing.T, link string) answer {
			b := newBrowser(t)
			page := b.open(link)
			page.body = strings.ReplaceAll(page.body, `action="/u?`, `action="/v?`)
			return b.press(link, page)
		}, 200, "<form"},
		{"a changed nonce shows the page anew", func(t *testing.T, link string) answer {
			b := newBrowser(t)
			page := b.open(link)
			return b.press(link, page, "nonce", strings.Repeat("A", 64))
		}, 200, "<form"},
		{"another site's form is refused", func(t *testing.T, link string) answer {
			b := newBrowser(t)
			page := b.open(link)
			u, _ := url.Parse(link)
			form := url.Values{}
			for _, h := range hiddenPattern.FindAllStringSubmatch(page.body, -1) {
				form.Set(h[1], h[2])
			}
			return b.do("POST", u.Scheme+"://"+u.Host+"/u?_hallpass=confirm", strings.NewReader(form.Encode()),
				"Content-Type", "application/x-www-form-urlencoded", "Origin", "https://evil.example", "Sec-Fetch-Site", "cross-site")
		}, 403, "needs_confirmation"},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			issued := s.issue(unsubscribe)
			link, _ := s.guard.Link(s.server.URL+"/u", issued.Token)
			want(t, row.press(t, link), row.want, row.part)
			if used := s.entry(issued.ID).Used; used != 0 {
				t.Errorf("used %d times", used)
			}
		})
	}
}

func TestANonceEndsAfterTenMinutes(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	s.handle("/u", "unsubscribe", nil)
	link := s.link("/u", unsubscribe)
	b := newBrowser(t)
	page := b.open(link)
	s.clock.Store(int64(11 * time.Minute))
	again := b.press(link, page)
	want(t, again, 200, "<form")
	want(t, b.press(link, again), 200, "subject=hugo")
}

func TestANonceSurvivesARotation(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	s.handle("/u", "unsubscribe", nil)
	link := s.link("/u", unsubscribe)
	b := newBrowser(t)
	page := b.open(link)
	fresh, err := hallpass.GenerateKey(hallpass.EdDSA)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.issuer.Keys().Rotate(fresh); err != nil {
		t.Fatal(err)
	}
	want(t, b.press(link, page), 200, "subject=hugo")
}

func TestWhichLinksAskFirst(t *testing.T) {
	t.Parallel()
	request := hallpass.Spec{Scope: "s", Mode: hallpass.ModeRequest, Subject: "hugo"}
	public := hallpass.Spec{Scope: "s"}
	once := hallpass.Spec{Scope: "s", MaxUses: 1}
	session := hallpass.Spec{Scope: "s", Mode: hallpass.ModeSession, Subject: "hugo"}
	short := hallpass.Spec{Scope: "s", Mode: hallpass.ModeRequest, Subject: "hugo", Format: hallpass.FormatShort}
	rows := []struct {
		name string
		spec hallpass.Spec
		opts guard.Options
		asks bool
	}{
		{"auto: request mode", request, guard.Options{}, true},
		{"auto: request mode, short", short, guard.Options{}, true},
		{"auto: public, several uses", public, guard.Options{}, false},
		{"auto: public, one use", once, guard.Options{}, true},
		{"auto: session", session, guard.Options{}, true},
		{"a route that only reads: request mode", request, guard.Options{Reads: true}, false},
		{"a route that only reads: one use", once, guard.Options{Reads: true}, false},
		{"a route that only reads: session all the same", session, guard.Options{Reads: true}, true},
		{"always: public", public, guard.Options{Confirm: guard.ConfirmAlways}, true},
		{"never: request mode", request, guard.Options{Confirm: guard.ConfirmNever}, false},
		{"never: session all the same", session, guard.Options{Confirm: guard.ConfirmNever}, true},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t, nil)
			s.handle("/", "s", &row.opts)
			a := newBrowser(t).open(s.link("/", row.spec))
			if asks := strings.Contains(a.body, "<form"); a.status != 200 || asks != row.asks {
				t.Errorf("status %d, asks %v, want %v:\n%s", a.status, asks, row.asks, a.body)
			}
		})
	}
}

func TestDeliverPostGivesTheHandlerAnEmptyPost(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	s.handle("/u", "unsubscribe", &guard.Options{DeliverPost: true})
	link := s.link("/u", unsubscribe)
	b := newBrowser(t)
	want(t, b.press(link, b.open(link)), 200, "POST /u subject=hugo data= confirmed=true body=")
}

func TestATypedCodeStopsARobotThatPressesButtons(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	s.handle("/u", "unsubscribe", &guard.Options{TypedCode: true})
	issued := s.issue(unsubscribe)
	link, _ := s.guard.Link(s.server.URL+"/u", issued.Token)
	code, err := s.guard.Code(issued.Pass)
	if err != nil {
		t.Fatal(err)
	}
	b := newBrowser(t)
	page := b.open(link)
	want(t, page, 200, "one-time-code")
	want(t, b.press(link, page), 200, "<form")
	wrong := "000000"
	if code == wrong {
		wrong = "000001"
	}
	want(t, b.press(link, page, "code", wrong), 200, "<form")
	if s.runs.Load() != 0 {
		t.Fatal("the handler ran without the code")
	}
	want(t, b.press(link, page, "code", code[:3]+" "+code[3:]), 200, "subject=hugo")
}

func TestTypedCodesCannotBeGuessed(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	s.handle("/u", "unsubscribe", &guard.Options{TypedCode: true})
	issued := s.issue(unsubscribe)
	link, _ := s.guard.Link(s.server.URL+"/u", issued.Token)
	code, err := s.guard.Code(issued.Pass)
	if err != nil {
		t.Fatal(err)
	}
	wrong := "000000"
	if code == wrong {
		wrong = "000001"
	}
	b := newBrowser(t)
	for range 20 { // a robot that presses the button types nothing, and uses no try up
		want(t, b.press(link, b.open(link)), 200, "<form")
	}
	pages := make([]answer, 40) // each with a nonce of its own
	for i := range pages {
		pages[i] = b.open(link)
	}
	var wg sync.WaitGroup
	var mu sync.Mutex
	count := map[int]int{}
	for _, page := range pages {
		wg.Go(func() {
			a := b.press(link, page, "code", wrong)
			mu.Lock()
			count[a.status]++
			mu.Unlock()
		})
	}
	wg.Wait()
	if count[200] != 10 || count[429] != 30 {
		t.Errorf("statuses %v, want 10 tries looked at and 30 told to wait", count)
	}
	if a := b.press(link, b.open(link), "code", code); a.status != 429 {
		t.Errorf("the right code after too many tries: %d", a.status)
	}
	reader := newBrowser(t) // somebody else's tries do not lock the reader out
	want(t, reader.press(link, reader.open(link), "code", code), 200, "subject=hugo")
}

func TestTheBrowserThatAskedSkipsThePage(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	var link string
	s.mux.HandleFunc("/ask", func(w http.ResponseWriter, r *http.Request) {
		spec := hallpass.Spec{Scope: "login", Mode: hallpass.ModeSession, Subject: "hugo", Browser: s.guard.Browser(w, r)}
		link = s.link("/home", spec)
	})
	s.handle("/home", "login", &guard.Options{AllowSignedIn: true})
	b := newBrowser(t)
	b.open(s.server.URL + "/ask")

	// Somebody else, or a script in this browser, still meets the page.
	want(t, newBrowser(t).open(link), 200, "<form")
	want(t, b.do("GET", link, nil, "Accept", "text/html", "Sec-Fetch-Mode", "cors", "Sec-Fetch-Dest", "empty"), 200, "<form")

	a := b.open(link)
	want(t, a, 200, `http-equiv="refresh"`)
	if !strings.Contains(a.header.Get("Set-Cookie"), "session=hugo") {
		t.Errorf("no session began: %v", a.header)
	}
	want(t, b.open(s.server.URL+"/home"), 200, "no pass")
}
