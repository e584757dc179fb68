package cli

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/alecthomas/kong"
	"go.yaml.in/yaml/v3"
)

// settings finds the flags that were not given on the command line, in the
// environment and then in the configuration file. A setting's name is the path of
// its flag: issue.max_uses in the file, HALLPASS_ISSUE_MAX_USES in the
// environment. The settings of serve need no section: their tag names them, and
// their path is a second name. An empty variable is one that is not set.
type settings struct {
	env    map[string]string
	loaded bool
	file   settingsFile
	// origins says where a setting's value came from, for messages about it.
	origins map[string]origin
}

// origin is where a setting stands; the zero origin is the command line, or
// nowhere.
type origin struct {
	variable string
	file     string
	line     int
}

func (o origin) String() string {
	switch {
	case o.variable != "":
		return o.variable
	case o.line > 0:
		return fmt.Sprintf("%s:%d", o.file, o.line)
	}
	return o.file
}

var _ kong.Resolver = (*settings)(nil)

// Validate implements kong.Resolver.
func (s *settings) Validate(*kong.Application) error { return nil }

// Resolve implements kong.Resolver.
func (s *settings) Resolve(parsed *kong.Context, parent *kong.Path, flag *kong.Flag) (any, error) {
	if flag.Name == "help" {
		return nil, nil
	}
	names := settingNames(commandPath(parent.Node()), flag)
	for _, name := range names {
		variable := envName(name)
		text := s.env[variable]
		if text == "" {
			continue
		}
		if flag.IsBool() {
			if _, err := strconv.ParseBool(text); err != nil {
				return nil, fieldError(name, "%s must be true or false", variable)
			}
		}
		s.setOrigin(names[0], origin{variable: variable})
		return text, nil
	}
	if names[0] == "config" {
		return nil, nil
	}
	if err := s.load(parsed); err != nil {
		return nil, err
	}
	value := s.file.values[names[0]]
	if value != nil {
		s.setOrigin(names[0], origin{file: s.file.name, line: s.file.lines[names[0]]})
	}
	return value, nil
}

func (s *settings) setOrigin(name string, o origin) {
	if s.origins == nil {
		s.origins = map[string]origin{}
	}
	s.origins[name] = o
}

// settingNames returns what a setting is called, the usual name first.
func settingNames(path []string, flag *kong.Flag) []string {
	name := strings.ReplaceAll(strings.Join(append(slices.Clone(path), flag.Name), "."), "-", "_")
	if own := flag.Tag.Get("setting"); own != "" {
		return []string{own, "serve." + own}
	}
	return []string{name}
}

func envName(setting string) string {
	return "HALLPASS_" + strings.ToUpper(strings.ReplaceAll(setting, ".", "_"))
}

// commandPath returns the names of a command and those above it, without the
// program's own.
func commandPath(node *kong.Node) (path []string) {
	for ; node != nil && node.Parent != nil; node = node.Parent {
		path = append(path, node.Name)
	}
	slices.Reverse(path)
	return path
}

// load reads the file once, if there is one.
func (s *settings) load(parsed *kong.Context) error {
	if s.loaded {
		return nil
	}
	s.loaded = true
	name := s.env[envName("config")]
	for _, p := range parsed.Path {
		if p.Flag != nil && p.Flag.Name == "config" {
			name, _ = parsed.FlagValue(p.Flag).(string)
		}
	}
	if name == "" {
		return nil
	}
	text, err := readFile(name, 1<<20)
	if err != nil {
		return fieldError("config", "%v", err)
	}
	s.file = readSettings(text, name, knownSettings(parsed.Model.Node))
	if len(s.file.problems) > 0 && parsed.Command() != "config check" && parsed.Command() != "doctor" {
		return fieldError("config", "%s", s.file.problems[0])
	}
	return nil
}

// known is a setting as the file may name it.
type known struct {
	name string // the usual one
	flag *kong.Flag
	// raw is read by the command itself; no flag can say it.
	raw bool
}

// knownSettings maps the names of all settings; sections are not in it.
func knownSettings(node *kong.Node) map[string]known {
	all := map[string]known{}
	for _, name := range []string{"rules", "login.claims", "foreign_keys"} {
		all[name] = known{name: name, raw: true}
		all["serve."+name] = all[name]
	}
	path := commandPath(node)
	for _, flag := range node.Flags {
		if flag.Name == "help" || len(path) == 0 && flag.Name == "config" {
			continue
		}
		for _, name := range settingNames(path, flag) {
			all[name] = known{name: settingNames(path, flag)[0], flag: flag}
		}
	}
	for _, child := range node.Children {
		for name, k := range knownSettings(child) {
			all[name] = k
		}
	}
	return all
}

// value reads one setting as text or a list of texts; reason says what is wrong.
func (k known) value(node *yaml.Node) (v any, reason string) {
	if node.Kind == yaml.AliasNode {
		node = node.Alias
	}
	switch {
	case k.raw, node.Tag == "!!null":
		return nil, ""
	case k.flag.IsSlice() && node.Kind == yaml.SequenceNode:
		list := []any{}
		for _, item := range node.Content {
			if item.Kind != yaml.ScalarNode {
				return nil, k.name + " must be a list of texts"
			}
			list = append(list, item.Value)
		}
		return list, ""
	case node.Kind != yaml.ScalarNode:
		return nil, k.name + " must be one value"
	case k.flag.IsBool() && node.Tag != "!!bool":
		return nil, k.name + " must be true or false"
	case k.flag.IsSlice():
		return []any{node.Value}, ""
	}
	// The text as it stands there: 0123 stays a subject, 7d a duration.
	return node.Value, ""
}
