package login

import (
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"io"
	"io/fs"
	"net/http"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/hallpass-go/hallpass/internal/look"
)

//go:embed pages/*.html
var ownPages embed.FS

//go:embed pages/page.js
var pageScript string

// pageStyle is what the code on the page for the other device needs beside the
// common stylesheet.
const pageStyle = `.code-shown{margin:32px 0;font:600 2.5rem/1.2 var(--mono);letter-spacing:.14em;font-variant-numeric:tabular-nums;user-select:all}.code-shown code{font-size:inherit}`

// The pages, which are also the names of their templates.
const (
	pageAddress  = "address"
	pageCode     = "code"
	pageLink     = "link"
	pageHandOver = "handover"
	pageBack     = "back"
	pageRefused  = "refused"
)

var pageNames = []string{pageAddress, pageCode, pageLink, pageHandOver, pageBack, pageRefused}

// PageView is what the templates of the pages are executed with. Texts are plain:
// the template escapes them. What a page does not use is empty.
type PageView struct {
	// Page is the page's name: address, code, link, handover, back or refused.
	Page string
	// Site is the application's name.
	Site string
	// Title is the heading, Lead the paragraph below it.
	Title, Lead string
	// Path is Config.Path, below which forms post; Start is the page that asks for an
	// address, whatever is going on.
	Path, Start string
	// Notice must not be overlooked. Error is what is wrong with the field.
	Notice, Error string
	// Hidden are posted along with each form.
	Hidden []PageField
	// Email is the address typed, or that of the login.
	Email string
	// Digits is how many digits a code has; Code is the one for the other device.
	Digits int
	Code   string
	// Here says that a link was opened where its login began; otherwise Began, Device
	// and ClientIP (in part) say where that was, and HandOver whether a code may be
	// shown for it.
	Here     bool
	HandOver bool
	// Tick asks for a tick beside the buttons: a script sent the form before.
	Tick             bool
	Device, ClientIP string
	// Times; the location of Now is that of exact times shown.
	Now, Began, Ends, Resend time.Time
	// State is the stamp of a refusal.
	State string
	// Script and Style are hallpass's own; any other is blocked by the browser.
	Script template.JS
	Style  template.CSS
}

// PageField is one hidden form field.
type PageField struct{ Name, Value string }

// Early reports whether asking for another mail would send none yet.
func (v PageView) Early() bool { return v.Now.Before(v.Resend) }

// pages are the parsed pages of each language, by the texts' id "lang".
type pages map[string]map[string]*template.Template

// newPages parses the pages in every language and tries each, so that a template or
// a text that does not work is found at the start.
func newPages(w Words, c *catalogue) (pages, error) {
	files, shared, err := pageFiles(w.Templates)
	if err != nil {
		return nil, err
	}
	all := pages{}
	for _, t := range c.texts {
		parsed := map[string]*template.Template{}
		for _, name := range pageNames {
			if parsed[name], err = look.Parse(t, name, append(slices.Clone(shared), files[name])...); err != nil {
				return nil, wrong("words.templates", "%v", err)
			}
			for _, sample := range samplePages(name) {
				if err := parsed[name].Execute(io.Discard, sample); err != nil {
					return nil, wrong("words.templates", "page %s: %v", name, err)
				}
			}
		}
		all[t["lang"]] = parsed
	}
	return all, nil
}

// pageFiles returns the text of each page and the shared texts, ours first.
func pageFiles(theirs fs.FS) (files map[string]string, shared []string, err error) {
	ours, err := fs.Sub(ownPages, "pages")
	if err != nil {
		return nil, nil, err
	}
	files = map[string]string{}
	for _, fsys := range []fs.FS{ours, theirs} {
		if fsys == nil {
			continue
		}
		names, err := fs.Glob(fsys, "*")
		if err != nil {
			return nil, nil, err
		}
		for _, file := range names {
			name := strings.TrimSuffix(path.Base(file), ".html")
			switch {
			case file == letterText || file == letterHTML:
				continue
			case name == file || !strings.HasPrefix(name, "_") && !slices.Contains(pageNames, name):
				return nil, nil, wrong("words.templates", "there is no page or mail %s", file)
			}
			text, err := fs.ReadFile(fsys, file)
			if err != nil {
				return nil, nil, fmt.Errorf("login: page %s: %w", file, err)
			}
			if strings.HasPrefix(name, "_") {
				shared = append(shared, string(text))
			} else {
				files[name] = string(text)
			}
		}
	}
	return files, shared, nil
}

// samplePages are views with everything and with as little as a page gets.
func samplePages(name string) []PageView {
	now := time.Date(2025, 11, 21, 12, 0, 0, 0, time.UTC)
	full := PageView{
		Page: name, Site: "site", Title: "title", Lead: "lead", Path: "/login", Start: "/login?other=1", Notice: "notice", Error: "error",
		Hidden: []PageField{{"name", "value"}}, Email: "hugo@example.com", Digits: 6, Code: "123456", HandOver: true, Tick: true, Device: "device",
		ClientIP: "192.0.2.•••", Now: now, Began: now, Ends: now.Add(time.Minute), Resend: now.Add(time.Second), State: "refused",
		Script: template.JS(pageScript), Style: pageStyle,
	}
	return []PageView{full, {Page: name, Title: "title", Path: "/login", Start: "/login", Here: true, Now: now}}
}

// scriptHash and styleHash are sources of the Content-Security-Policy.
var scriptHash, styleHash = hashSource(pageScript), hashSource(pageStyle)

func hashSource(text string) string {
	sum := sha256.Sum256([]byte(text))
	return "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
}

// permitting adds a page's own script and style to its policy.
type permitting struct {
	http.ResponseWriter
	view *PageView
}

func (p permitting) WriteHeader(status int) {
	const header = "Content-Security-Policy"
	policy := p.Header().Get(header)
	if p.view.Script != "" {
		policy += "; script-src " + scriptHash
	}
	if p.view.Style != "" {
		policy = strings.Replace(policy, "style-src ", "style-src "+styleHash+" ", 1)
	}
	p.Header().Set(header, policy)
	p.ResponseWriter.WriteHeader(status)
}

// texts are those of the reader's language.
func (l *Login) texts(r *http.Request) look.Texts {
	return l.words.pick(r.Header.Get("Accept-Language"))
}

// servePage writes a page. A redirect that follows one of its forms may lead to the
// configured origins.
func (l *Login) servePage(w http.ResponseWriter, r *http.Request, status int, v PageView) error {
	t := l.texts(r)
	v.Site, v.Path, v.Now = l.cfg.Site, l.cfg.Path, l.now().UTC()
	if v.Start == "" {
		v.Start = l.cfg.Path + "?other=1"
	}
	if v.Page == pageCode || v.Page == pageHandOver {
		v.Script = template.JS(pageScript)
	}
	if v.Page == pageHandOver {
		v.Style = pageStyle
	}
	if v.Page != pageRefused && v.Page != pageHandOver { // those have no form
		if nonce := l.nonce(w, r); nonce != "" {
			v.Hidden = append(v.Hidden, PageField{nonceField, nonce})
		}
	}
	w.Header().Add("Vary", "Accept-Language, Cookie")
	targets := append(l.cfg.origins(), l.cfg.HTTP.RedirectOrigins...)
	if err := look.Serve(permitting{w, &v}, r, status, l.pages[t["lang"]][v.Page], v, targets...); err != nil {
		l.cfg.Logger.ErrorContext(r.Context(), "a login page could not be shown", "page", v.Page, "error", err)
	}
	return nil
}

// serveLook answers a machine that only looks, with nothing but the kind of page.
func serveLook(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(http.StatusOK)
}
