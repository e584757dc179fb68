package cli

import (
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/hallpass-go/hallpass"
	"github.com/hallpass-go/hallpass/internal/gate"
)

// rules reads the setting "rules", a list that only the file can hold. What is
// wrong goes to the file's problems, with its line.
func (f *settingsFile) rules() gate.Rules {
	node := f.raw["rules"]
	switch {
	case node == nil || node.Tag == "!!null":
		return nil
	case node.Kind != yaml.SequenceNode:
		f.wrong(node, "rules", "rules must be a list")
		return nil
	}
	var list gate.Rules
	for i, item := range node.Content {
		name := "rules." + strconv.Itoa(i)
		rule, lines, ok := f.rule(name, item)
		list = append(list, rule)
		if !ok {
			continue
		}
		err := gate.Rules{rule}.Check()
		if field, isField := err.(*hallpass.FieldError); isField {
			member := field.Field[strings.LastIndexByte(field.Field, '.')+1:]
			at := item
			if lines[member] != nil {
				at = lines[member]
			}
			f.wrong(at, name+"."+member, "%s.%s: %s", name, member, field.Reason)
		}
	}
	return list
}

// shadows tells of rules that can never match, unless rules are wrong anyhow: what
// could not be read might have told them apart.
func (f *settingsFile) shadows(plan *servePlan, problems []problem) (notes []string) {
	if slices.ContainsFunc(problems, func(p problem) bool { return strings.HasPrefix(p.Field, "rules") }) {
		return nil
	}
	for _, s := range plan.Rules.Shadows(orText(plan.BaseURL, "http://"+plan.addr)) {
		by := make([]string, len(s.By))
		for i, n := range s.By {
			by[i] = "rules." + strconv.Itoa(n)
		}
		reason := by[0] + " before it takes all it could match"
		switch {
		case s.Same:
			reason = by[0] + " before it has the same host, path and methods"
		case len(by) > 1:
			reason = strings.Join(by, ", ") + " before it together take all it could match"
		}
		notes = append(notes, fmt.Sprintf("%s:%d: rules.%d can never match: %s", f.name, f.raw["rules"].Content[s.Rule].Line, s.Rule, reason))
	}
	return notes
}

// rule reads one rule, and where each of its members stands.
func (f *settingsFile) rule(name string, node *yaml.Node) (rule gate.Rule, at map[string]*yaml.Node, ok bool) {
	at, ok = f.members(name, node, &rule, "{path: /, access: public}")
	return rule, at, ok
}

// members reads a section of a list into the struct that to points at, and says where
// each of its members stands.
func (f *settingsFile) members(name string, node *yaml.Node, to any, example string) (at map[string]*yaml.Node, ok bool) {
	if node.Kind == yaml.AliasNode {
		node = node.Alias
	}
	if node.Kind != yaml.MappingNode {
		f.wrong(node, name, "%s must be a section such as %s", name, example)
		return nil, false
	}
	fields := map[string]reflect.Value{}
	var names []string
	v := reflect.ValueOf(to).Elem()
	for i := range v.NumField() {
		member, _, _ := strings.Cut(v.Type().Field(i).Tag.Get("yaml"), ",")
		fields[member] = v.Field(i)
		names = append(names, member)
	}
	before := len(f.problems)
	at = map[string]*yaml.Node{}
	for i := 0; i+1 < len(node.Content); i += 2 {
		key, value := node.Content[i], node.Content[i+1]
		field, known := fields[key.Value]
		full := name + "." + key.Value
		switch {
		case !known:
			slices.Sort(names)
			f.wrong(key, full, "unknown setting %q%s", full, didYouMean(key.Value, names))
		case at[key.Value] != nil:
			f.wrong(key, full, "%s is there twice", full)
		default:
			at[key.Value] = value
			if reason := setMember(field, value); reason != "" {
				f.wrong(value, full, "%s: %s", full, reason)
			}
		}
	}
	return at, len(f.problems) == before
}

// setMember sets a text, a list of texts or a boolean.
func setMember(field reflect.Value, node *yaml.Node) (reason string) {
	if node.Kind == yaml.AliasNode {
		node = node.Alias
	}
	switch {
	case node.Tag == "!!null":
	case field.Kind() == reflect.Slice:
		if node.Kind != yaml.SequenceNode {
			return "must be a list of texts"
		}
		for _, item := range node.Content {
			if item.Kind != yaml.ScalarNode {
				return "must be a list of texts"
			}
			field.Set(reflect.Append(field, reflect.ValueOf(item.Value).Convert(field.Type().Elem())))
		}
	case node.Kind != yaml.ScalarNode:
		return "must be one value"
	case field.Kind() == reflect.Bool:
		if node.Tag != "!!bool" {
			return "must be true or false"
		}
		field.SetBool(strings.EqualFold(node.Value, "true"))
	default:
		field.SetString(node.Value)
	}
	return ""
}
