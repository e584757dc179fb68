// Package interstitial is hallpass's own pages in front of an application's
// routes: the confirmation, the refusals, and what comes after them.
//
// Each page is rendered to a buffer first and stands alone: its style is inlined
// and allowed by hash, there is no script, and no cookie is needed to read it.
package interstitial

import (
	"bytes"
	"embed"
	"fmt"
	"html/template"
	"io/fs"
	"maps"
	"net/http"
	"path"
	"slices"
	"strings"

	"github.com/hallpass-go/hallpass/internal/look"
)

//go:embed pages/*.html
var defaults embed.FS

//go:embed en.json
var english []byte

// The names of the pages, which are also the names of their templates.
const (
	PageConfirm       = "confirm"
	PageRefused       = "refused"
	PageAlreadyDone   = "already_done"
	PageMovingOn      = "moving_on"
	PageNoCookie      = "no_cookie"
	PageFreshLinkSent = "fresh_link_sent"
	PageUnsubscribed  = "unsubscribed"
	PageUnavailable   = "unavailable"
	PageThrottled     = "throttled"
)

// Names lists the pages.
func Names() []string {
	return []string{
		PageConfirm, PageRefused, PageAlreadyDone, PageMovingOn, PageNoCookie,
		PageFreshLinkSent, PageUnsubscribed, PageUnavailable, PageThrottled,
	}
}

// Options change how the pages look and speak. Nil is the same as the zero value.
type Options struct {
	// Site is the application's name, shown at the top of each page. Defaults to
	// hallpass's own wordmark.
	Site string
	// Templates holds files that replace pages: "confirm.html" replaces the page
	// "confirm", and so on for each of Names. A file defines "title" and "main",
	// may redefine the layout's other blocks, and is executed with a View. Files
	// whose name starts with an underscore are shared by all pages. Any other
	// name is an error. Nil replaces nothing.
	Templates fs.FS
	// Texts replace single texts by message id; English lists the ids. The id
	// "lang" is the language tag. Nil replaces nothing.
	Texts look.Texts
}

// English returns a new copy of every text the pages use, by message id.
func English() look.Texts {
	own, err := look.ParseTexts("en.json", english)
	if err != nil {
		panic(err)
	}
	all := look.English()
	maps.Copy(all, own)
	return all
}

// Pages writes the pages. It is safe for concurrent use.
type Pages struct {
	site  string
	texts look.Texts
	pages map[string]*template.Template
}

// New parses the pages and tries each of them once, so that a template or text
// that does not work is found here. Its errors name the template or message.
func New(opts *Options) (*Pages, error) {
	if opts == nil {
		opts = &Options{}
	}
	texts, err := English().With(opts.Texts)
	if err != nil {
		return nil, err
	}
	files, shared, err := readTemplates(opts.Templates)
	if err != nil {
		return nil, err
	}
	p := &Pages{site: opts.Site, texts: texts, pages: map[string]*template.Template{}}
	for _, name := range Names() {
		page, err := look.Parse(texts, name, append(slices.Clone(shared), files[name])...)
		if err != nil {
			return nil, err
		}
		for _, sample := range samples(name) {
			var shown bytes.Buffer
			if err := page.Execute(&shown, sample); err != nil {
				return nil, fmt.Errorf("page %s: %w", name, err)
			}
			if name == PageConfirm && !sample.Form.isIn(shown.String()) {
				return nil, fmt.Errorf(`page %s: it lacks the form, or a part of it, without which no link can be used: {{template "form" .}}`, name)
			}
		}
		p.pages[name] = page
	}
	return p, nil
}

// readTemplates returns the text of each page and the shared texts, ours first.
func readTemplates(custom fs.FS) (files map[string]string, shared []string, err error) {
	ours, err := fs.Sub(defaults, "pages")
	if err != nil {
		return nil, nil, err
	}
	files = map[string]string{}
	for _, fsys := range []fs.FS{ours, custom} {
		if fsys == nil {
			continue
		}
		names, err := fs.Glob(fsys, "*.html")
		if err != nil {
			return nil, nil, err
		}
		for _, file := range names {
			text, err := fs.ReadFile(fsys, file)
			if err != nil {
				return nil, nil, err
			}
			name := strings.TrimSuffix(path.Base(file), ".html")
			switch {
			case strings.HasPrefix(name, "_"):
				shared = append(shared, string(text))
			case slices.Contains(Names(), name):
				files[name] = string(text)
			default:
				return nil, nil, fmt.Errorf("page %s: there is no such page; the pages are %s", name, strings.Join(Names(), ", "))
			}
		}
	}
	return files, shared, nil
}

// serve writes a page. Every URL of the view has been checked by then.
func (p *Pages) serve(w http.ResponseWriter, r *http.Request, status int, v View, targets ...string) error {
	v.Site = p.site
	return look.Serve(w, r, status, p.pages[v.Page], v, targets...)
}

// fail answers for a page that cannot be shown. The error never holds the URL
// it speaks of: the URL may carry a token.
func (p *Pages) fail(w http.ResponseWriter, r *http.Request, page, field string) error {
	look.Fail(w, r)
	return fmt.Errorf("page %s: %s leads off the site", page, field)
}
