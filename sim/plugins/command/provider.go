package command

import "github.com/construct-server/infra/sim/plugins/provider"

// Version is the version of the SDK that the stand-in answers to.
const Version = "1.2.1"

var loggingModes = []string{"stdout", "stderr", "stdoutAndStderr", "none"}

// New returns the provider.
func New() *provider.Provider {
	return &provider.Provider{
		Name: "command", Version: Version, Secrets: true,
		Config: provider.Schema{},
		Resources: map[string]*provider.Resource{
			"command:remote:Command":      remoteCommand(),
			"command:remote:CopyToRemote": copyToRemote(),
			"command:local:Command":       localCommand(),
		},
		Functions: map[string]*provider.Function{},
	}
}

// connectionFields are those of a connection and of its proxy. The defaults
// are the SDK's, which fills them in before the engine sees them.
func connectionFields() provider.Schema {
	return provider.Schema{
		"agentSocketPath":    {Type: provider.String},
		"dialErrorLimit":     {Type: provider.Int},
		"host":               {Type: provider.String, Required: true},
		"hostKey":            {Type: provider.String},
		"password":           {Type: provider.String, Secret: true},
		"perDialTimeout":     {Type: provider.Int},
		"port":               {Type: provider.Number},
		"privateKey":         {Type: provider.String, Secret: true},
		"privateKeyPassword": {Type: provider.String, Secret: true},
		"user":               {Type: provider.String},
	}
}

func connectionProperty() provider.Property {
	fields := connectionFields()
	fields["proxy"] = provider.Property{Type: provider.Object(connectionFields())}
	return provider.Property{Type: provider.Object(fields), Required: true, Secret: true}
}

func triggersProperty() provider.Property {
	return provider.Property{Type: provider.ListOf(provider.Any), ForceNew: true}
}

// lifecycleInputs are common to remote and local commands.
func lifecycleInputs() provider.Schema {
	return provider.Schema{
		"create":                 {Type: provider.String},
		"update":                 {Type: provider.String},
		"delete":                 {Type: provider.String},
		"triggers":               triggersProperty(),
		"stdin":                  {Type: provider.String},
		"logging":                {Type: provider.String, OneOf: loggingModes},
		"environment":            {Type: provider.MapOf(provider.String)},
		"addPreviousOutputInEnv": {Type: provider.Bool},
	}
}

// everyOutput says that what a run prints is unknown until it has run.
func everyOutput([]string, provider.Values, provider.Values) []string {
	return []string{"stderr", "stdout"}
}
