package e2e_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
)

// TestATypedCodeIsAskedForByAServersRule: in front of an application that knows nothing
// of it, a robot that really presses the button gets nothing, and the reader who has the
// mail gets in.
func TestATypedCodeIsAskedForByAServersRule(t *testing.T) {
	t.Parallel()
	s := startServeOn(t, sqliteFile(t), nil, "--upstream", newUpstream(t).URL,
		"--config", guardedBy(t, "rules:\n  - {path: /approve, access: required, scope: approve, confirm: code}\n"))
	token := issueAPIToken(t, s.store)
	got := s.call(t, token, "/.hallpass/v1/passes", `{"scope":"approve","max_uses":1,"typed_code":true,"url":"`+s.URL+`/approve"}`)
	var pass struct{ Token, URL, Code string }
	if err := json.Unmarshal([]byte(got.body), &pass); err != nil || len(pass.Code) != 6 {
		t.Fatalf("%d %s", got.status, got.body)
	}
	said.secret(pass.Token)
	if plain := s.call(t, token, "/.hallpass/v1/passes", `{"scope":"approve"}`); strings.Contains(plain.body, `"code"`) {
		t.Errorf("a code that nobody asked for: %s", plain.body)
	}
	if bearer := get(t, s.URL+"/approve", "Authorization", "Bearer "+pass.Token); bearer.status == 200 {
		t.Error("the token alone lets in")
	}

	robot := newProfile(t, true)
	robot.open(pass.URL)
	for _, typed := range []string{"000000", "123456"} {
		if typed == pass.Code {
			continue
		}
		robot.do("typing", chromedp.SendKeys(chromedp.CSS(`main form input[name="code"]`), typed))
		robot.click("main form button")
		if robot.says("the application") || !robot.says("That was not the code") {
			t.Fatalf("a wrong code: %q", typed)
		}
	}
	robot.sends(pass.URL, sendings["submit"])
	if robot.says("the application") {
		t.Error("a script is in without the code")
	}

	reader := newProfile(t, false)
	reader.open(pass.URL)
	reader.do("typing", chromedp.SendKeys(chromedp.CSS(`main form input[name="code"]`), pass.Code))
	reader.click("main form button")
	if !reader.says("the application") {
		t.Error("the right code does not let in")
	}
	reader.behaved(s.URL)
}
