package djangoimport

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"hash/crc32"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/hallpass-go/hallpass"
	"github.com/hallpass-go/hallpass/internal/strictjson"
)

// keepLonger is how long a row that was taken back outlives its end: no clock and no leeway that
// anybody configures finds the token good and the row gone.
const keepLonger = 48 * time.Hour

// maxData is what a recorded pass may hold, in bytes, whoever issues it.
const maxData = 64 << 10

// passOf says what a row permits, or why that cannot be carried over.
func passOf(t tokenRow, key string) (p hallpass.Pass, wrong string) {
	p = hallpass.Pass{
		ID: passID(key, t.id), Scope: hallpass.Scope(t.scope.String), Subject: t.subject.String,
		IssuedAt: t.issuedAt, Recorded: true, Key: key,
		// A JWT's times are the row's, cut to the second.
		NotBefore: t.notBefore.Truncate(time.Second), ExpiresAt: t.expires.Truncate(time.Second),
	}
	switch t.mode.String {
	case "None":
		p.Mode = hallpass.ModePublic
	case "Request":
		p.Mode = hallpass.ModeRequest
	case "Session":
		p.Mode = hallpass.ModeSession
	}
	switch {
	case t.wrong != "":
		return p, t.wrong
	case t.userGone:
		return p, "its user " + strconv.Quote(t.subject.String) + " is not in the database, and Django honours no such token"
	case p.Mode == "":
		return p, "login_mode is none of None, Request, Session"
	case p.Scope == "":
		return p, "scope is empty"
	case utf8.RuneCountInString(t.scope.String) > 100 || !plainText(t.scope.String):
		return p, "scope is no text of at most 100 characters"
	case strings.HasPrefix(strings.ToLower(t.scope.String), hallpass.ScopeReserved):
		return p, "scope begins with " + hallpass.ScopeReserved + ", which is hallpass's own"
	case p.Mode != hallpass.ModePublic && p.Subject == "":
		return p, "login_mode " + t.mode.String + " needs a user, and there is none"
	case len(p.Subject) > 256 || !plainText(p.Subject):
		return p, "user_id is no text of at most 256 bytes"
	}
	if data := strings.TrimSpace(t.data.String); t.data.Valid && data != "null" {
		switch {
		case len(data) > maxData:
			return p, "data are longer than 64 KiB"
		case !json.Valid([]byte(data)) || !utf8.ValidString(data):
			return p, "data is no JSON"
		case !strictjson.Valid(data):
			return p, "data is JSON that can be read in two ways, or too deep"
		}
		p.Data = json.RawMessage(data)
	}
	return p, ""
}

func plainText(text string) bool { return utf8.ValidString(text) && !strings.ContainsRune(text, 0) }

// rightsOf is a fingerprint of what a pass permits and to whom, which its row cannot
// change once it is made.
func rightsOf(p hallpass.Pass) string {
	text, _ := json.Marshal([]any{p.Scope, p.Mode, p.Subject})
	sum := sha256.Sum256(text)
	return base64.RawURLEncoding.EncodeToString(sum[:9])
}

// dataOf is one of its data.
func dataOf(p hallpass.Pass) uint32 {
	var data any
	dec := json.NewDecoder(bytes.NewReader(p.Data))
	dec.UseNumber()
	_ = dec.Decode(&data)         // valid, or none
	text, _ := json.Marshal(data) // members sorted, so that databases agree
	return crc32.ChecksumIEEE(text)
}

// firstEntry is the row of a token that hallpass does not know yet, and its mark.
func (r *run) firstEntry(t tokenRow, p hallpass.Pass) (hallpass.Entry, *mark) {
	used := t.used
	e := hallpass.Entry{Pass: p, Used: used}
	e.MaxUses = t.maxUses
	m := &mark{
		Used: used, Max: t.maxUses, Issued: micros(t.issuedAt), Rights: rightsOf(p), Data: dataOf(p),
		Ends: seconds(p.ExpiresAt), Intended: true,
	}
	if t.maxUses <= 0 {
		// 0 is no limit here, and none left there.
		e.Used, e.MaxUses = max(1, used), max(1, used)
		m.Max, m.Closed = used, true
	}
	// The row stays: its end in Django may have been moved since its JWT was made, and
	// nobody knows that of the JWT. One that is taken back is refused without it too.
	if r.hasEnded(t) && r.ExpiredRows == RevokeExpired {
		e.RevokedAt, e.KeepUntil = r.began, p.ExpiresAt.Add(keepLonger)
		m.Dead = expired
	}
	if r.history == nil && !m.Closed && m.Dead == "" {
		// The log rows come in by Reserve, which counts them.
		e.Used -= min(used, t.logs)
		m.Used = e.Used
	}
	return e, m
}

// hasEnded reports whether the row says that the token is over.
func (r *run) hasEnded(t tokenRow) bool { return !t.expires.IsZero() && !t.expires.After(r.began) }

// micros is a moment as the ledger keeps it; never 0, which is none.
func micros(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return cmp.Or(t.UnixMicro(), 1)
}

func seconds(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.Unix()
}

// useOf is a log row as a use. Its id derives from the row's, so it is the same
// each time.
func useOf(l logRow, pass string) hallpass.Use {
	u := hallpass.Use{
		ID: useID(l.at, pass, "log", l.id), Pass: pass, Subject: clip(l.subject, 256), At: l.at,
		ClientIP: clip(l.address, 64), UserAgent: clip(l.agent, 512), State: hallpass.UseUnknown,
	}
	if status, err := strconv.Atoi(l.status.String); err == nil && status > 0 && status <= 999 {
		u.Status, u.State = status, hallpass.UseSettled
	}
	return u
}

// clip is what an audit row keeps of a text.
func clip(text string, limit int) string {
	text = strings.ReplaceAll(strings.ToValidUTF8(text, "\uFFFD"), "\x00", "\uFFFD")
	if len(text) > limit {
		text = strings.ToValidUTF8(text[:limit], "")
	}
	return text
}

// useID is a UUIDv7 (RFC 9562 section 5.7) for a moment, whose random part is a
// hash of what the use is.
func useID(at time.Time, pass, kind string, n int64) string {
	sum := sha256.Sum256([]byte(pass + "\n" + kind + "\n" + strconv.FormatInt(n, 10)))
	micros := at.UnixMicro()
	var b [16]byte
	copy(b[8:], sum[:8])
	binary.BigEndian.PutUint64(b[:8], uint64(micros/1000)<<16|uint64(micros%1000*4096/1000))
	b[6] = b[6]&0x0f | 7<<4
	b[8] = b[8]&0x3f | 0x80
	h := hex.EncodeToString(b[:])
	return h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:]
}
