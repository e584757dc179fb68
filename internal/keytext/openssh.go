package keytext

import (
	"encoding/base64"
	"encoding/pem"
	"errors"
	"strings"

	"golang.org/x/crypto/ssh"
)

var errSSHLine = errors.New("this OpenSSH public key is broken; it is one line of type, base64 and comment")

// parseSSHPrivate reads what ssh-keygen writes.
func parseSSHPrivate(block *pem.Block) (Material, error) {
	key, err := ssh.ParseRawPrivateKey(pem.EncodeToMemory(block))
	if _, ok := errors.AsType[*ssh.PassphraseMissingError](err); ok {
		return Material{}, errPassphrase
	}
	if err != nil {
		return Material{}, errors.New("this OpenSSH private key is broken or of a kind that is not supported")
	}
	return fromPrivate(key)
}

// parseSSHPublic reads one line of type, base64 and comment. Options before it
// and further lines are refused rather than skipped.
func parseSSHPublic(body string) (Material, error) {
	fields := strings.Fields(body)
	if strings.ContainsAny(body, "\r\n") || len(fields) < 2 {
		return Material{}, errSSHLine
	}
	switch fields[0] {
	case ssh.KeyAlgoED25519, ssh.KeyAlgoECDSA256:
	case ssh.KeyAlgoRSA:
		return Material{}, errRSA
	default:
		return Material{}, errKind
	}
	blob, err := base64.StdEncoding.Strict().DecodeString(fields[1])
	if err != nil {
		return Material{}, errSSHLine
	}
	key, err := ssh.ParsePublicKey(blob)
	if err != nil || key.Type() != fields[0] {
		return Material{}, errSSHLine
	}
	held, ok := key.(ssh.CryptoPublicKey)
	if !ok {
		return Material{}, errKind
	}
	return fromPublic(held.CryptoPublicKey())
}

// sshKeyType reports whether a word names an OpenSSH key or certificate type.
func sshKeyType(word string) bool {
	for _, prefix := range []string{"ssh-ed25519", "ssh-rsa", "ssh-dss", "ecdsa-sha2-", "sk-ssh-", "sk-ecdsa-sha2-"} {
		if strings.HasPrefix(word, prefix) {
			return true
		}
	}
	return false
}

// holdsSSHPublic finds a public key within an authorized_keys or known_hosts
// line, or in a file that begins with a comment.
func holdsSSHPublic(body string) bool {
	fields := strings.Fields(body)
	for i := range len(fields) - 1 {
		if sshKeyType(fields[i]) && strings.HasPrefix(fields[i+1], "AAAA") {
			return true
		}
	}
	return false
}
