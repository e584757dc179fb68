package redisstore_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/hallpass-go/hallpass"
	"github.com/hallpass-go/hallpass/internal/needs"
	"github.com/hallpass-go/hallpass/redisstore"
)

// certificate writes a certificate that signs itself, for the name redis.internal.
func certificate(t *testing.T) (cert, key string) {
	t.Helper()
	secret, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "redis"}, DNSNames: []string{"redis.internal"},
		NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, secret.Public(), secret)
	if err != nil {
		t.Fatal(err)
	}
	text, err := x509.MarshalPKCS8PrivateKey(secret)
	if err != nil {
		t.Fatal(err)
	}
	cert, key = filepath.Join(t.TempDir(), "cert.pem"), filepath.Join(t.TempDir(), "key.pem")
	for name, block := range map[string]*pem.Block{cert: {Type: "CERTIFICATE", Bytes: der}, key: {Type: "PRIVATE KEY", Bytes: text}} {
		if err := os.WriteFile(name, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return cert, key
}

func TestTLSChecksTheServerAndShowsOurCertificate(t *testing.T) {
	t.Parallel()
	cert, key := certificate(t)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := l.Addr().String()
	_, port, _ := net.SplitHostPort(addr)
	l.Close()
	needs.NewRedis(t, "--tls-port", port, "--tls-cert-file", cert, "--tls-key-file", key, "--tls-ca-cert-file", cert)
	whole := "rediss://" + addr + "?tls_ca=" + cert + "&tls_name=redis.internal&tls_cert=" + cert + "&tls_key=" + key
	s := open(t, whole)
	if _, err := s.Reserve(t.Context(), useOf(fought(1), "")); err != nil {
		t.Error(err)
	}
	for name, dsn := range map[string]string{
		"an unknown authority": strings.Replace(whole, "tls_ca="+cert+"&", "", 1),
		"another name":         strings.Replace(whole, "redis.internal", "other.internal", 1),
		"no certificate of us": strings.Split(whole, "&tls_cert")[0],
		"no TLS":               "redis://" + addr,
	} {
		if s, err := redisstore.Open(t.Context(), dsn, nil); !errors.Is(err, hallpass.ErrUnavailable) {
			t.Errorf("%s: Open = %v, want ErrUnavailable", name, err)
			if err == nil {
				s.Close()
			}
		}
	}
}

// docs/redis.md names these rights.
func TestAUserWithFewRightsIsEnough(t *testing.T) {
	t.Parallel()
	server := needs.NewRedis(t)
	page, err := os.ReadFile("../docs/redis.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rights, _ := strings.Cut(string(page), "ACL SETUSER hallpass ")
	rights, _, found := strings.Cut(rights, "\n")
	if !found {
		t.Fatal("docs/redis.md names no rights")
	}
	if answer := server.Say(t, "ACL SETUSER hallpass "+rights); answer != "+OK" {
		t.Fatal(answer)
	}
	dsn := strings.Replace(server.DSN(), "redis://", "redis://hallpass:PASSWORD@", 1)
	keepsTheContract(t, func(testing.TB) string { return dsn + "/?prefix=hallpass:" + rand.Text()[:12] + ":" })
	s := open(t, dsn)
	if err := s.CheckSchema(t.Context()); err != nil {
		t.Error(err)
	}
}
