# What the TAP tests share: nodes with the extension, psql runs whose output
# and errors come back in one text, sessions that stay open.
#
# Errors show as "ERROR:  28J01" (psql's VERBOSITY=sqlstate), so that a test
# can compare a whole run with one string.

package JwtAuthTest;

use strict;
use warnings;

use Exporter 'import';
use IPC::Run ();
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;

# The tests name the superuser, whoever runs them.
$ENV{PGUSER} = 'postgres';

our @EXPORT = qw(start_node start_tls_node no_tls ask psql_env sign session sections);

# start_node(NAME, CONF, before_start => sub): a running server, made with the
# extension and one key of our own unless without_extension is set.
sub start_node
{
	my ($name, $conf, %opt) = @_;
	my $node = PostgreSQL::Test::Cluster->new($name);

	# Whoever runs the test, in whatever locale.
	$node->init(extra => [ '--username', 'postgres', '-E', 'UTF8', '--no-locale' ],
		%{ $opt{init} // {} });
	# Servers of tests that run at once share two cores.
	$node->append_conf('postgresql.conf', "fsync = off\n" . ($conf // ''));
	$opt{before_start}->($node) if $opt{before_start};
	$node->start;
	$node->safe_psql('postgres',
		"CREATE EXTENSION jwt_auth; SELECT jwt.generate_key('ES256', 'k1')")
	  unless $opt{without_extension};
	return $node;
}

# start_tls_node(NAME, CONF): the same, with TLS on 127.0.0.1; needs openssl.
sub start_tls_node
{
	my ($name, $conf) = @_;

	return start_node($name, <<CONF, before_start => sub {
listen_addresses = '127.0.0.1'
ssl = on
ssl_cert_file = 'tls.crt'
ssl_key_file = 'tls.key'
$conf
CONF
		my ($n) = @_;
		my $dir = $n->data_dir;
		system_or_bail('openssl', 'req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2',
			'-subj', '/CN=localhost', '-keyout', "$dir/tls.key", '-out', "$dir/tls.crt");
		chmod 0600, "$dir/tls.key" or die $!;
		append_to_file("$dir/pg_hba.conf", "host all all 127.0.0.1/32 trust\n");
	});
}

# Why there can be no such node here; undef if there can.
sub no_tls
{
	return 'the server is built without OpenSSL' unless `pg_config --configure` =~ /--with-(openssl|ssl=openssl)/;
	return 'no program openssl' if system('openssl version >/dev/null 2>&1') != 0;
	return;
}

sub psql_command
{
	my ($node, %opt) = @_;
	my @command = (
		'psql', '-XqAt', '-h', $opt{host} // $node->host,
		'-p', $opt{port} // $node->port, '-U', $opt{user} // 'app',
		'-v', 'VERBOSITY=' . ($opt{verbosity} // 'sqlstate'),
		'-v', 'SHOW_CONTEXT=never', '-d', $opt{db} // 'dbname=postgres');
	return @command;
}

# The connection's environment: what a test sets, and nothing of the caller's.
sub psql_env
{
	my (%opt) = @_;
	my %env = (PGOPTIONS => $opt{options}, PGSSLMODE => $opt{sslmode});

	foreach my $name (keys %env)
	{
		if (defined $env{$name}) { $ENV{$name} = $env{$name}; }
		else { delete $ENV{$name}; }
	}
	return;
}

# ask(NODE, SQL, user => 'app', ...): output and errors of a psql run.
sub ask
{
	my ($node, $sql, %opt) = @_;
	my $out = '';

	local %ENV = %ENV;
	psql_env(%opt);
	IPC::Run::run([ psql_command($node, %opt) ],
		'<', \$sql, '>&', \$out, IPC::Run::timeout($opt{timeout} // 120));
	$out =~ s/\s+\z//;
	return $out;
}

# sign(NODE, CLAIMS, HOW): a token of the node's own key, signed by whoever
# may; HOW is more arguments of jwt.sign.
sub sign
{
	my ($node, $claims, $how) = @_;
	my $more = defined $how ? ", $how" : '';

	return $node->safe_psql('postgres', "SELECT jwt.sign('$claims'$more)");
}

# sections(TEXT): text split at lines "-- NAME" (psql's \echo) into a hash.
sub sections
{
	my ($text) = @_;
	my (%section, $name);

	foreach my $line (split /\n/, $text)
	{
		if ($line =~ /^-- (.*)/) { $section{ $name = $1 } = ''; next; }
		$section{ $name // '' } .= "$line\n";
	}
	s/\n\z// foreach values %section;
	return \%section;
}

# session(NODE, ...): a psql that stays, with the same options as ask(); the
# time-out is that of each answer.
sub session
{
	my ($node, %opt) = @_;
	my $self = bless { in => '', out => '', turn => 0 }, 'JwtAuthTest::Session';

	local %ENV = %ENV;
	psql_env(%opt);
	$self->{timer} = IPC::Run::timeout($opt{timeout} // 120);
	$self->{run} = IPC::Run::start([ psql_command($node, %opt) ],
		'<', \$self->{in}, '>&', \$self->{out}, $self->{timer});
	return $self;
}

package JwtAuthTest::Session;

# Sends and does not wait.
sub send
{
	my ($self, $sql) = @_;

	$self->{turn}++;
	$self->{timer}->start;
	$self->{in} .= "$sql\n\\echo end of turn $self->{turn}\n";
	$self->{run}->pump_nb;
	return;
}

# Output since the last wait.
sub wait
{
	my ($self) = @_;
	my $end = qr/^end of turn $self->{turn}\n/m;

	$self->{run}->pump until $self->{out} =~ $end;
	my $text = $self->{out};
	$self->{out} = '';
	$text =~ s/^end of turn \d+\n//mg;
	$text =~ s/\s+\z//;
	return $text;
}

sub ask
{
	my ($self, $sql) = @_;

	$self->send($sql);
	return $self->wait;
}

sub quit
{
	my ($self) = @_;

	$self->{in} .= "\\q\n";
	$self->{run}->finish;
	return;
}

1;
