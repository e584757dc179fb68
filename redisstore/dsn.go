package redisstore

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/redis/rueidis"

	"github.com/hallpass-go/hallpass"
)

// config is a DSN, read.
type config struct {
	addrs    []string
	user     string
	password string
	db       int
	cluster  string
	prefix   string
	timeout  time.Duration
	relaxed  bool
	replicas int
	tls      *tls.Config
}

var dsnSettings = []string{
	"cluster", "prefix", "timeout", "durability", "replicas", "tls_ca", "tls_cert", "tls_key", "tls_name",
}

func invalid(format string, args ...any) error {
	return &hallpass.FieldError{Field: "store", Reason: fmt.Sprintf(format, args...)}
}

// Check says what is wrong with a DSN without connecting: a *hallpass.FieldError
// with field "store", or nil.
func Check(dsn string) error {
	_, err := parseDSN(dsn)
	return err
}

// parseDSN reads a DSN. No part of it may stand in an error: a password that was
// not escaped can end up in any of them.
func parseDSN(dsn string) (config, error) {
	c := config{cluster: "auto", prefix: "hallpass:", timeout: 3 * time.Second}
	scheme, rest, _ := strings.Cut(dsn, "://")
	if (scheme != "redis" && scheme != "rediss") || rest == "" {
		return c, invalid("must be redis://HOST:PORT, or rediss:// for TLS")
	}
	rest, query, _ := strings.Cut(rest, "?")
	authority, db, _ := strings.Cut(rest, "/")
	if at := strings.LastIndexByte(authority, '@'); at >= 0 {
		user, password, _ := strings.Cut(authority[:at], ":")
		var err, err2 error
		c.user, err = url.PathUnescape(user)
		c.password, err2 = url.PathUnescape(password)
		if err != nil || err2 != nil {
			return c, invalid("the user or the password has a %% that is no escape; write it as %%25")
		}
		authority = authority[at+1:]
	}
	for host := range strings.SplitSeq(authority, ",") {
		addr, ok := hostPort(host)
		if !ok {
			return c, invalid("must name its servers as HOST:PORT, with commas between them; @, /, ? and %% in a password are escaped as %%40, %%2F, %%3F and %%25")
		}
		c.addrs = append(c.addrs, addr)
	}
	if db != "" {
		n, err := strconv.Atoi(db)
		if err != nil || n < 0 {
			return c, invalid("the database after the slash must be a number")
		}
		c.db = n
	}
	return c, c.settings(query, scheme == "rediss")
}

func hostPort(text string) (addr string, ok bool) {
	host, port, err := net.SplitHostPort(text)
	if err != nil {
		host, port = strings.Trim(text, "[]"), "6379"
		if strings.Contains(host, ":") && net.ParseIP(host) == nil {
			return "", false
		}
	}
	n, err := strconv.ParseUint(port, 10, 16)
	if err != nil || n == 0 || host == "" || strings.ContainsAny(host, "@?#% ") {
		return "", false
	}
	return net.JoinHostPort(host, port), true
}

func (c *config) settings(query string, secure bool) error {
	values, err := url.ParseQuery(query)
	if err != nil {
		return invalid("the settings after the ? cannot be read")
	}
	for name, all := range values {
		if !slices.Contains(dsnSettings, name) || len(all) != 1 {
			return invalid("a setting after the ? is unknown or given twice; there are %s", strings.Join(dsnSettings, ", "))
		}
	}
	if text := values.Get("cluster"); text != "" {
		c.cluster = text
	}
	switch {
	case c.cluster != "auto" && c.cluster != "yes" && c.cluster != "no":
		return invalid("cluster must be yes, no or auto")
	case c.cluster == "no" && len(c.addrs) > 1:
		return invalid("several hosts are the nodes of one cluster; without a cluster name one")
	case c.cluster == "yes" && c.db != 0, len(c.addrs) > 1 && c.db != 0:
		return invalid("a cluster has no databases but 0")
	}
	if values.Has("prefix") {
		c.prefix = values.Get("prefix")
		if len(c.prefix) > 64 || strings.Trim(c.prefix, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789:_.-") != "" {
			return invalid("prefix must be at most 64 letters, digits, colons, underscores, dots and hyphens")
		}
	}
	if text := values.Get("timeout"); text != "" {
		if c.timeout, err = time.ParseDuration(text); err != nil || c.timeout < 10*time.Millisecond || c.timeout > time.Minute {
			return invalid("timeout must be a duration from 10ms to 1m, such as 3s")
		}
	}
	switch values.Get("durability") {
	case "", "always":
	case "relaxed":
		c.relaxed = true
	default:
		return invalid("durability must be always or relaxed")
	}
	if text := values.Get("replicas"); text != "" {
		if c.replicas, err = strconv.Atoi(text); err != nil || c.replicas < 0 || c.replicas > 16 {
			return invalid("replicas must be a number from 0 to 16")
		}
	}
	return c.secure(values, secure)
}

func (c *config) secure(values url.Values, secure bool) error {
	files := []string{values.Get("tls_ca"), values.Get("tls_cert"), values.Get("tls_key")}
	name := values.Get("tls_name")
	if !secure {
		if strings.Join(files, "")+name != "" {
			return invalid("the tls_ settings need rediss://")
		}
		return nil
	}
	c.tls = &tls.Config{MinVersion: tls.VersionTLS12, ServerName: name}
	if files[0] != "" {
		pem, err := os.ReadFile(files[0])
		c.tls.RootCAs = x509.NewCertPool()
		if err != nil || !c.tls.RootCAs.AppendCertsFromPEM(pem) {
			return invalid("tls_ca must be a readable file with certificates in PEM")
		}
	}
	if (files[1] == "") != (files[2] == "") {
		return invalid("tls_cert and tls_key go together")
	}
	if files[1] != "" {
		pair, err := tls.LoadX509KeyPair(files[1], files[2])
		if err != nil {
			return invalid("tls_cert and tls_key must be readable files in PEM that belong together")
		}
		c.tls.Certificates = []tls.Certificate{pair}
	}
	return nil
}

// connect connects. rueidis repeats nothing by itself (DisableRetry): a command
// whose answer was lost is asked again by ask alone, which knows how to.
func (c *config) connect(ctx context.Context) (rueidis.Client, error) {
	option := rueidis.ClientOption{
		InitAddress: c.addrs, Username: c.user, Password: c.password, SelectDB: c.db, TLSConfig: c.tls,
		ClientName: "hallpass", DisableRetry: true, DisableCache: true,
		ForceSingleClient: c.cluster == "no",
		ConnWriteTimeout:  c.timeout,
		Dialer:            net.Dialer{Timeout: min(c.timeout, 2*time.Second), KeepAlive: time.Second},
		ClusterOption:     rueidis.ClusterOption{ShardsRefreshInterval: 5 * time.Second, MaxMovedRedirections: 8},
		// One megabyte for each connection would be much for a small program.
		ReadBufferEachConn: 64 << 10, WriteBufferEachConn: 64 << 10,
	}
	type connected struct {
		client rueidis.Client
		err    error
	}
	result := make(chan connected, 1)
	go func() {
		client, err := rueidis.NewClient(option)
		result <- connected{client, err}
	}()
	select {
	case got := <-result:
		if got.err != nil {
			if got.client != nil {
				got.client.Close()
			}
			return nil, unavailable("connect", got.err)
		}
		if c.cluster == "yes" && got.client.Mode() != rueidis.ClientModeCluster {
			got.client.Close()
			return nil, invalid("the server is no cluster, but cluster=yes says so")
		}
		return got.client, nil
	case <-ctx.Done():
		go func() { // NewClient takes no context
			if got := <-result; got.client != nil {
				got.client.Close()
			}
		}()
		return nil, ctx.Err()
	}
}
