// Package cli is the command hallpass. Results go to stdout, errors and notices
// to stderr; with --json each is one object. The exit code is 0 for done or
// honoured, 1 for refused or not found, 2 for bad input, 3 where nothing could be
// decided.
package cli

import (
	"context"
	"errors"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/alecthomas/kong"

	"github.com/hallpass-go/hallpass"
	"github.com/hallpass-go/hallpass/internal/openstore"
	"github.com/hallpass-go/hallpass/internal/wire"
)

// grammar is the whole command line. Every flag can also be set by environment
// and file; see settings.
type grammar struct {
	Store         string `placeholder:"DSN" help:"Where passes are kept: sqlite:PATH, postgres://USER@HOST/DATABASE or redis://HOST. Defaults to sqlite:hallpass.db; the demo forgets everything without it."`
	JSON          bool   `name:"json" help:"Print one JSON object."`
	Config        string `placeholder:"FILE" help:"Read settings from a YAML file."`
	MasterKeyFile string `placeholder:"FILE" help:"File with the text that wraps private keys (or HALLPASS_MASTER_KEY itself)."`

	Serve      serveCmd      `cmd:"" help:"Serve the API, and protect applications in front of or behind any proxy."`
	Demo       demoCmd       `cmd:"" help:"Serve a small site that shows everything, and is forgotten when it stops."`
	Issue      issueCmd      `cmd:"" help:"Make a pass and print its token or link."`
	Verify     verifyCmd     `cmd:"" help:"Judge a token without using it."`
	Redeem     redeemCmd     `cmd:"" help:"Use a token once."`
	List       listCmd       `cmd:"" help:"List passes, newest first."`
	Show       showCmd       `cmd:"" help:"Show a pass by its id, its token or a whole link."`
	Revoke     revokeCmd     `cmd:"" help:"Take passes back."`
	Uses       usesCmd       `cmd:"" help:"List uses, newest first."`
	Prune      pruneCmd      `cmd:"" help:"Remove old uses and what is over."`
	Keys       keysCmd       `cmd:"" help:"List and change the signing keys."`
	Sessions   sessionsCmd   `cmd:"" help:"List and end the sessions of those who are logged in."`
	AdminLink  adminLinkCmd  `cmd:"" name:"admin-link" help:"Print a link that signs an operator in to the admin."`
	Conf       configCmd     `cmd:"" name:"config" help:"Look at the settings."`
	Doctor     doctorCmd     `cmd:"" help:"Look whether serve would work with these settings, and what to do where not."`
	Migrate    migrateCmd    `cmd:"" help:"Make the store, or bring it up to date."`
	Import     importCmd     `cmd:"" help:"Carry over what another system issued."`
	Completion completionCmd `cmd:"" help:"Print a completion script for a shell."`
	Version    versionCmd    `cmd:"" help:"Print the version."`
}

// exitStatus ends a command whose result is already printed.
type exitStatus int

func (s exitStatus) Error() string { return "exit status " + strconv.Itoa(int(s)) }

// Main runs one command line, without the program's name, and returns the exit
// code. env is as of os.Environ.
func Main(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer, env []string) (code int) {
	a := newApp(stdin, stdout, stderr, env)
	a.args = args
	// kong prints help and then wants to end the process.
	type leave struct{ code int }
	defer func() {
		switch p := recover().(type) {
		case nil:
		case leave:
			code = p.code
		default:
			panic(p)
		}
	}()
	parsed, err := a.parse(ctx, kong.Exit(func(code int) { panic(leave{code}) }))
	if err != nil {
		a.grammar.JSON = a.grammar.JSON || wantsJSON(args, a.env)
		return a.fail(usageError(err, args))
	}
	return a.fail(parsed.Run())
}

// parse fills the grammar from arguments, environment and file.
func (a *app) parse(ctx context.Context, options ...kong.Option) (*kong.Context, error) {
	a.settings = &settings{env: a.env}
	parser, err := kong.New(&a.grammar, append(options,
		kong.Name("hallpass"),
		kong.Description("Permission slips for HTTP: links and tokens that are honoured exactly as promised."),
		kong.Writers(a.stdout, a.stderr),
		kong.Resolvers(a.settings),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, FlagsLast: true}),
		// "--max-uses -1" is a bad number, not an unknown flag.
		kong.WithHyphenPrefixedParameters(true),
		kong.BindTo(ctx, (*context.Context)(nil)),
		kong.Bind(a),
	)...)
	if err != nil {
		return nil, err
	}
	parsed, err := parser.Parse(a.args)
	if err == nil {
		err = missingValue(parsed, a.args)
	}
	if err == nil && a.grammar.Store == "" {
		a.grammar.Store = openstore.Default
		if parsed.Command() == "demo" {
			a.grammar.Store = demoStore
		}
	}
	return parsed, err
}

// fail prints an error and returns its exit code; nil is success.
func (a *app) fail(err error) int {
	var status exitStatus
	switch {
	case err == nil:
		return wire.ExitDone
	case errors.As(err, &status):
		return int(status)
	}
	problem := wire.ProblemOf(err)
	if errors.Is(err, context.Canceled) {
		problem.Detail = "interrupted"
	}
	if a.grammar.JSON {
		_ = wire.Write(a.stderr, problem)
	} else {
		_, _ = io.WriteString(a.stderr, "hallpass: "+problem.Line()+"\n")
	}
	return problem.Exit()
}

// usageError turns kong's errors into one line that says where to read on. What
// was typed is repeated only where it is a flag or a command: anything else may
// be a token or a secret.
func usageError(err error, args []string) error {
	var field *hallpass.FieldError
	if errors.As(err, &field) {
		return field
	}
	command := "hallpass"
	var parse *kong.ParseError
	if errors.As(err, &parse) && parse.Context != nil {
		if err := missingValue(parse.Context, args); err != nil {
			return err
		}
		if node := parse.Context.Selected(); node != nil {
			command = strings.Join(append([]string{command}, commandPath(node)...), " ")
		}
	}
	text := err.Error()
	switch {
	case strings.HasPrefix(text, "unexpected argument ") && command != "hallpass" && command != "hallpass keys" && command != "hallpass sessions" && command != "hallpass import":
		text = "there is an argument too many"
	case strings.HasPrefix(text, "--") && strings.Contains(text, ": missing value"):
		name, _, _ := strings.Cut(text[2:], ":")
		return fieldError(strings.ReplaceAll(name, "-", "_"), "needs a value")
	case strings.HasPrefix(text, "expected one of "):
		text = "name a command"
	}
	for _, arg := range args {
		name, value, _ := strings.Cut(arg, "=")
		for _, secret := range []string{arg, value} {
			if len(secret) > 21 || strings.Count(secret, ".") == 2 {
				if !strings.HasPrefix(secret, "--") {
					text = strings.ReplaceAll(text, secret, "…")
				}
			}
		}
		if len(name) > 40 {
			text = strings.ReplaceAll(text, name, "…")
		}
	}
	return &hallpass.FieldError{Reason: text + `; see "` + command + ` --help"`}
}

// missingValue refuses a flag that took the next flag as its value, or stands at
// the end without one.
func missingValue(parsed *kong.Context, args []string) error {
	known := map[string]*kong.Flag{}
	for _, flag := range parsed.Flags() {
		known["--"+flag.Name] = flag
	}
	if !slices.Contains(args, "--") && len(args) > 0 {
		if flag := known[args[len(args)-1]]; flag != nil && !flag.IsBool() {
			return missing(flag)
		}
	}
	for _, p := range parsed.Path {
		if p.Flag == nil || p.Resolved {
			continue
		}
		text, ok := parsed.FlagValue(p.Flag).(string)
		name, _, _ := strings.Cut(text, "=")
		if ok && known[name] != nil {
			return missing(p.Flag)
		}
	}
	return nil
}

func missing(flag *kong.Flag) error {
	return fieldError(strings.ReplaceAll(flag.Name, "-", "_"), "needs a value")
}

// wantsJSON looks for --json where the command line could not be read.
func wantsJSON(args []string, env map[string]string) bool {
	on, _ := strconv.ParseBool(env["HALLPASS_JSON"])
	for _, arg := range args {
		switch arg {
		case "--":
			return on
		case "--json", "--json=true":
			on = true
		}
	}
	return on
}
