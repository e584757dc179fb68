package look

import (
	"bytes"
	"embed"
	"fmt"
	"html/template"
	"io/fs"
	"net/http"
	"path"
	"slices"
	"strconv"
	"strings"
)

//go:embed layout.html parts.html
var shared embed.FS

// Funcs returns the functions templates may call, speaking t:
//
//	t "id" "name" value …   a text with its placeholders filled
//	when now at             <time> told relatively, exact in the title
//	on now at               <time> told exactly, relative in the title
//	short text              a token or id, shortened, whole on demand
//	foreign text            a text that others wrote, isolated, nothing in it hidden
//	visible text            the same for titles and attributes
//	mask account            an account as strangers may see it
//	stamp state             a Stamp, for the parts "stamp" and "state"
//	often max left          how often a pass still works
//	css                     the stylesheet; the layout calls it
func (t Texts) Funcs() template.FuncMap {
	return template.FuncMap{
		"t":       t.Text,
		"when":    t.When,
		"on":      t.On,
		"short":   t.Short,
		"foreign": Foreign,
		"visible": func(text any) string { return Visible(fmt.Sprint(text)) },
		"mask":    Mask,
		"stamp":   t.Stamp,
		"often":   t.Often,
		"css":     inlineCSS,
	}
}

// Parse returns the layout with the page's own templates on it. The texts must
// define "title" and "main", and may redefine "head", "header", "footer" and
// "body-class". They can use the functions of Funcs and the parts of this
// package: "pass" (a Card), "stamp" and "state" (a Stamp), "shape" (a Stamp's
// Shape), "logo", "wordmark", and "skip" for headers with many links. Nil texts
// are English.
//
// name is the page's name for error messages. Executing the result writes the
// whole page.
func Parse(t Texts, name string, texts ...string) (*template.Template, error) {
	if t == nil {
		t = English()
	}
	page, err := template.New("layout").Option("missingkey=error").Funcs(t.Funcs()).ParseFS(shared, "*.html")
	if err != nil {
		return nil, err
	}
	for _, text := range texts {
		// Errors tell this name; the space keeps it apart from every part's.
		if _, err := page.New("page " + name).Parse(text); err != nil {
			return nil, err
		}
	}
	for _, needed := range []string{"title", "main"} {
		if page.Lookup(needed) == nil {
			return nil, fmt.Errorf("page %s: defines no template %q", name, needed)
		}
	}
	return page.Lookup("layout"), nil
}

// ParseFS parses every file that matches the pattern as a page of its own and
// returns them by file name without extension. Files whose name starts with an
// underscore are no pages; their templates are there for all of them.
func ParseFS(t Texts, fsys fs.FS, pattern string) (map[string]*template.Template, error) {
	names, err := fs.Glob(fsys, pattern)
	if err != nil {
		return nil, err
	}
	var partials []string
	files := map[string]string{}
	for _, name := range names {
		text, err := fs.ReadFile(fsys, name)
		if err != nil {
			return nil, err
		}
		if base := path.Base(name); strings.HasPrefix(base, "_") {
			partials = append(partials, string(text))
		} else {
			files[strings.TrimSuffix(base, path.Ext(base))] = string(text)
		}
	}
	if len(files) == 0 {
		return nil, fmt.Errorf("no page matches %q", pattern)
	}
	pages := map[string]*template.Template{}
	for name, text := range files {
		if pages[name], err = Parse(t, name, append(slices.Clone(partials), text)...); err != nil {
			return nil, err
		}
	}
	return pages, nil
}

// Serve renders a page that Parse made and writes it with headers that keep it
// to itself: no script, no frame, no cache, no referrer, no index. formTargets
// are the origins, besides the page's own, to which its forms may lead. A HEAD
// request gets the headers only.
//
// The page is rendered first. When that fails the answer is a plain 500 and the
// error is returned for the log. Errors of writing are not returned: the reader
// has gone.
func Serve(w http.ResponseWriter, r *http.Request, status int, page *template.Template, view any, formTargets ...string) error {
	return ServeUnder(w, r, status, page, view, Policy(formTargets...))
}

// ServeUnder is Serve for pages with a Content-Security-Policy of their own, which
// must allow CSSHash.
func ServeUnder(w http.ResponseWriter, r *http.Request, status int, page *template.Template, view any, policy string) error {
	var body bytes.Buffer
	h := w.Header()
	h.Set("Cache-Control", "no-store")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY")
	h.Set("X-Robots-Tag", "noindex")
	h.Set("Content-Security-Policy", policy)
	if err := page.Execute(&body, view); err != nil {
		Fail(w, r)
		return err
	}
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Length", strconv.Itoa(body.Len()))
	w.WriteHeader(status)
	if r.Method != http.MethodHead {
		_, _ = w.Write(body.Bytes())
	}
	return nil
}

// Fail answers a plain 500, for when there is no page to show.
func Fail(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(http.StatusInternalServerError)
	if r.Method != http.MethodHead {
		_, _ = w.Write([]byte("internal error\n"))
	}
}
