package login

import (
	"bytes"
	"embed"
	htmltemplate "html/template"
	"io/fs"
	"net/url"
	texttemplate "text/template"
	"time"

	"github.com/hallpass-go/hallpass/internal/look"
	"github.com/hallpass-go/hallpass/mail"
)

//go:embed mails/*
var ownMails embed.FS

// The templates of the mail, which Words.Templates may replace.
const (
	letterText = "mail.txt"
	letterHTML = "mail.html"
)

// letters writes the mail in every language.
type letters struct {
	text *texttemplate.Template
	html *htmltemplate.Template
}

// LetterView is what the templates of the mail are executed with.
type LetterView struct {
	// T is the texts of the reader's language: {{.T.Text "mail.code"}}.
	T look.Texts
	// Site is the application's name.
	Site string
	// Code and Link are what it is about. The link is a whole URL.
	Code, Link string
	// Now and Ends are when it is sent and when code and link end, in UTC.
	Now, Ends time.Time
	// ClientIP and Device say where the login began; ClientIP is empty when it is
	// not known, and Device then says so in words.
	ClientIP, Device string
}

func newLetters(w Words) (*letters, error) {
	text, err := templateFile(w.Templates, letterText)
	if err != nil {
		return nil, err
	}
	html, err := templateFile(w.Templates, letterHTML)
	if err != nil {
		return nil, err
	}
	l := &letters{}
	if l.text, err = texttemplate.New(letterText).Option("missingkey=error").Parse(text); err != nil {
		return nil, wrong("words.templates", "%v", err)
	}
	if l.html, err = htmltemplate.New(letterHTML).Option("missingkey=error").Parse(html); err != nil {
		return nil, wrong("words.templates", "%v", err)
	}
	_, _, err = l.write(LetterView{T: look.English(), Site: "x", Code: "123456", Link: "https://x/", Now: time.Now(), Ends: time.Now(), ClientIP: "x", Device: "x"})
	if err != nil { // found here rather than by the first reader
		return nil, wrong("words.templates", "%v", err)
	}
	return l, nil
}

// templateFile returns the application's file, or ours.
func templateFile(theirs fs.FS, name string) (string, error) {
	if theirs != nil {
		if text, err := fs.ReadFile(theirs, name); err == nil {
			return string(text), nil
		}
	}
	text, err := fs.ReadFile(ownMails, "mails/"+name)
	return string(text), err
}

func (l *letters) write(v LetterView) (text, html string, err error) {
	var t, h bytes.Buffer
	if err := l.text.Execute(&t, v); err != nil {
		return "", "", err
	}
	if err := l.html.Execute(&h, v); err != nil {
		return "", "", err
	}
	return t.String(), h.String(), nil
}

// letter is the mail of a job.
func (l *Login) letter(j job) (mail.Message, error) {
	t := l.words.pick(j.Language)
	v := LetterView{
		T: t, Site: l.site(), Code: j.Code, Link: j.Link, Now: l.now(), Ends: j.Ends.UTC(), ClientIP: j.Where.ClientIP,
		Device: device(t, j.Where.UserAgent),
	}
	text, html, err := l.letters.write(v)
	if err != nil {
		return mail.Message{}, err
	}
	return mail.Message{
		ID: j.ID, To: j.Address, Kind: "login", Text: text, HTML: html,
		// Servers log subjects, and phones show them to whoever looks: no code here.
		Subject: t.Text("mail.subject", "site", v.Site),
		Data: map[string]string{
			"code": j.Code, "link": j.Link, "language": t["lang"], "site": v.Site, "ends": v.Ends.Format(time.RFC3339),
		},
	}, nil
}

// site is the application's name, or its host.
func (l *Login) site() string {
	if l.cfg.Site != "" {
		return l.cfg.Site
	}
	u, err := url.Parse(l.cfg.BaseURL)
	if err != nil {
		return l.cfg.BaseURL
	}
	return u.Host
}
