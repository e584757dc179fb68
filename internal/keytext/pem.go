package keytext

import (
	"crypto/x509"
	"encoding/asn1"
	"encoding/pem"
	"errors"
	"strings"
)

var (
	errPEM        = errors.New("this PEM block is broken or incomplete")
	errPassphrase = errors.New("this private key is protected by a passphrase; give it without one (ssh-keygen -p or openssl pkey)")
)

// parsePEM reads exactly one key. A second one, or text around it, is refused:
// encoding/pem alone would skip a broken block and take the next.
func parsePEM(body string) (Material, error) {
	if !strings.Contains(body, "\n") {
		body = trim(strings.ReplaceAll(body, "|", "\n"))
	}
	block, rest, err := onePEM(body)
	if err != nil {
		return Material{}, err
	}
	// openssl ecparam -genkey writes the curve in a block of its own first.
	if block.Type == "EC PARAMETERS" {
		if block, rest, err = onePEM(trim(rest)); err != nil {
			return Material{}, err
		}
	}
	if trim(rest) != "" {
		return Material{}, errors.New("there is other text after the PEM block; give one key alone")
	}
	if len(block.Headers) > 0 {
		if strings.Contains(block.Headers["Proc-Type"], "ENCRYPTED") {
			return Material{}, errPassphrase
		}
		return Material{}, errors.New("PEM headers are not supported")
	}
	switch block.Type {
	case "PUBLIC KEY":
		key, err := x509.ParsePKIXPublicKey(block.Bytes)
		if err != nil {
			return Material{}, errPEM
		}
		return fromPublic(key)
	case "PRIVATE KEY":
		key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
		if err != nil || !oneDER(block.Bytes) {
			return Material{}, errPEM
		}
		return fromPrivate(key)
	case "EC PRIVATE KEY":
		key, err := x509.ParseECPrivateKey(block.Bytes)
		if err != nil || !oneDER(block.Bytes) {
			return Material{}, errPEM
		}
		return fromPrivate(key)
	case "OPENSSH PRIVATE KEY":
		return parseSSHPrivate(block)
	case "ENCRYPTED PRIVATE KEY":
		return Material{}, errPassphrase
	case "RSA PRIVATE KEY", "RSA PUBLIC KEY":
		return Material{}, errRSA
	case "CERTIFICATE":
		return Material{}, errors.New("this is a certificate; give its public key (openssl x509 -pubkey -noout)")
	default:
		return Material{}, errKind
	}
}

// onePEM reads the block that body begins with.
func onePEM(body string) (*pem.Block, string, error) {
	block, rest := pem.Decode([]byte(body))
	if block == nil || !strings.HasPrefix(body, "-----BEGIN "+block.Type+"-----") {
		return nil, "", errPEM
	}
	read := body[:len(body)-len(rest)]
	if strings.Count(read, "-----BEGIN") != 1 {
		return nil, "", errPEM
	}
	return block, string(rest), nil
}

// oneDER reports whether der is one value with nothing after it, which the
// private key parsers of crypto/x509 do not check.
func oneDER(der []byte) bool {
	var value asn1.RawValue
	rest, err := asn1.Unmarshal(der, &value)
	return err == nil && len(rest) == 0
}

// MarshalPEM writes the private key as PKCS#8, or the public one as PKIX. A
// shared secret has no PEM form.
func MarshalPEM(m Material, private bool) ([]byte, error) {
	if m.Secret != nil {
		return nil, errors.New("a shared secret has no PEM form")
	}
	if private {
		if m.Private == nil {
			return nil, errNoPrivate
		}
		der, err := x509.MarshalPKCS8PrivateKey(m.Private)
		if err != nil {
			return nil, errExport
		}
		return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), nil
	}
	if m.Public == nil {
		return nil, errNoKey
	}
	der, err := x509.MarshalPKIXPublicKey(m.Public)
	if err != nil {
		return nil, errExport
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}), nil
}
