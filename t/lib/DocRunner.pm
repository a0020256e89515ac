# Runs the commands of a document: see docs/README.md for what its author
# writes.  Knows Markdown's fenced blocks and the marks in front of them, and
# nothing of what the documents are about.
#
# A document's blocks become one script for one psql, shell commands behind
# \!, so that variables, transactions and connections go on from block to
# block as they do for a reader.

package DocRunner;

use strict;
use warnings;

use Cwd ();
use Exporter 'import';
use IPC::Run ();
use PostgreSQL::Test::Utils;

our @EXPORT = qw(read_document check_quotes run_document);

# read_document(FILE): its blocks, in order, each a hash: line, lang, text,
# mark (hash: as, error, file, from, "not run"), hidden, output (what shall
# come out), and "with" pairs in force.
sub read_document
{
	my ($file) = @_;
	my (@blocks, %mark, @with);
	my @lines = split /\n/, slurp_file($file);

	for (my $i = 0; $i < @lines; $i++)
	{
		if ($lines[$i] =~ /^<!-- (sql|sh)$/)
		{
			my $block = { line => $i + 1, lang => $1, hidden => 1, mark => {%mark}, with => [@with] };
			%mark = ();
			$block->{text} = take(\@lines, \$i, qr/^-->$/);
			push @blocks, $block;
		}
		elsif ($lines[$i] =~ /^<!-- with (.+) = (.+) -->$/) { push @with, [ $1, $2 ]; }
		elsif ($lines[$i] =~ /^<!-- (not run|as|error|file|from|in|needs):? (.+) -->$/) { $mark{$1} = $2; }
		elsif ($lines[$i] =~ /^<!--/) { die "$file, line " . ($i + 1) . ": unknown mark\n"; }
		elsif ($lines[$i] =~ /^```(\S*)$/)
		{
			my $block = { line => $i + 1, lang => $1, mark => {%mark}, with => [@with] };
			%mark = ();
			$block->{text} = take(\@lines, \$i, qr/^```$/);
			if ($block->{lang} ne 'text') { push @blocks, $block; }
			elsif (@blocks) { $blocks[-1]{output} = $block->{text}; }
		}
		elsif (%mark && $lines[$i] =~ /\S/) { die "$file, line " . ($i + 1) . ": a mark without a block\n"; }
	}
	return @blocks;
}

# The lines up to one like END; *I is that one's number afterwards.
sub take
{
	my ($lines, $i, $end) = @_;
	my $text = '';

	while (++$$i < @$lines && $lines->[$$i] !~ $end) { $text .= "$lines->[$$i]\n"; }
	die "a block is not closed\n" if $$i >= @$lines;
	return $text;
}

# check_quotes(ROOT, BLOCKS): what is quoted from a file stands there so, but
# for indentation.  Returns complaints.
sub check_quotes
{
	my ($root, @blocks) = @_;
	my @wrong;

	foreach my $block (@blocks)
	{
		my $from = $block->{mark}{from} // next;
		my $file = -e "$root/$from" ? slurp_file("$root/$from") : '';
		my $text = $block->{text};
		s/^[ \t]+//mg, s/[ \t]+/ /g foreach ($file, $text);
		push @wrong, "line $block->{line}: $from does not say so" if index($file, $text) < 0;
	}
	return @wrong;
}

# The number of commands in a block, for the record: statements of SQL without
# bodies of functions, and lines of sh without continuations.
sub count_commands
{
	my ($block) = @_;
	my $text = $block->{text};

	if ($block->{lang} eq 'sql')
	{
		$text =~ s/\$\$.*?\$\$|BEGIN ATOMIC.*?END|'[^']*'|--[^\n]*//sg;
		return scalar(() = $text =~ /;|\\g\w*|^\\\w+/mg);
	}
	$text =~ s/\\\n|<<'?(\w+)'?\n.*?^\1$//smg;
	return scalar(grep { /^[^#\s]/ } split /\n/, $text);
}

sub is_run
{
	my ($block) = @_;

	return !$block->{mark}{'not run'} && !$block->{mark}{from} && !$block->{mark}{file};
}

# The psql script of a document.  FOLDER is for the blocks of sh.
sub script
{
	my ($folder, @blocks) = @_;
	my ($connection, $psql) = ("dbname=$ENV{PGDATABASE} user=$ENV{PGUSER}", '');

	foreach my $block (@blocks)
	{
		my $text = $block->{text};
		foreach my $with (@{ $block->{with} })
		{
			my ($what, $instead) = @$with;
			$instead =~ s/\$(\w+)/$ENV{$1} \/\/ die "no \$$1\n"/ge;
			$text =~ s/\Q$what\E/$instead/g;
		}
		if ($block->{mark}{file}) { $psql .= to_file($folder, $block, $text); next; }
		next unless is_run($block);

		my $role = $block->{mark}{as} // $ENV{PGUSER};
		my $wanted = 'dbname=' . ($block->{mark}{in} // $ENV{PGDATABASE}) . " user=$role";
		$psql .= "\\c -reuse-previous=on \"$wanted\"\n" if $wanted ne $connection;
		$connection = $wanted;
		$psql .= "\\echo \@\@ $block->{line}\n";
		if ($block->{lang} eq 'sh')
		{
			my $file = "$folder/$block->{line}.sh";
			append_to_file($file, $text);
			$psql .= "\\! exec 2>&1 </dev/null; PGUSER=$role sh -eu $file || echo \"sh: status \$?\"\n";
		}
		else { $psql .= $text; }
		$psql .= "\\echo\n\\echo \@\@ done :LAST_ERROR_SQLSTATE\n";
	}
	return $psql;
}

# A block that the reader saves as a file is saved when its turn comes.
sub to_file
{
	my ($folder, $block, $text) = @_;

	append_to_file("$folder/$block->{line}.file", $text);
	return "\\! cp $folder/$block->{line}.file $block->{mark}{file}\n";
}

# Is OUTPUT what the document shows?  "..." there is any part of a line, and
# alone in a line any lines.
sub shows
{
	my ($shown, $output) = @_;
	my $pattern = '';

	foreach ($shown, $output)
	{
		s/[ \t]+$//mg;
		s/\n*\z/\n/;
	}
	foreach my $line (split /\n/, $shown)
	{
		if ($line eq '...') { $pattern .= '(?:.*\n)*?'; next; }
		$pattern .= join('.*', map { quotemeta } split(/\.\.\./, $line, -1)) . '\n';
	}
	return $output =~ /\A\n*$pattern\z/;
}

my $complaint = qr/^(?:ERROR|FATAL|PANIC):|^psql: error|^invalid command|^\\\S+: /m;

# What is wrong with the OUTPUT of BLOCK; undef if nothing.
sub judge
{
	my ($block, $output, $state) = @_;
	my $error = $block->{mark}{error};
	my $errors = 0;

	if ($block->{lang} eq 'sh')
	{
		$state = $output =~ s/^sh: status (\d+)\n//m ? $1 : 0;
		$errors = 1 if $state;
	}
	else { $errors = () = $output =~ /$complaint/g; }
	return "an error $state" if $errors && !defined $error;
	return 'no error' if defined $error && !$errors;
	return 'more than one error' if $errors > 1;
	return "error $state and not $error" if defined $error && $error ne $state;
	return "another output than the document's"
	  if defined $block->{output} && !shows($block->{output}, $output);
	return;
}

# run_document(BLOCKS): in the current folder, on the server of the PG*
# variables.  Returns complaints, and the number of commands that ran.
sub run_document
{
	my (@blocks) = @_;
	my $folder = PostgreSQL::Test::Utils::tempdir();
	my $psql = script($folder, @blocks);
	my $out = '';
	my (@wrong, $count);

	IPC::Run::run([ 'psql', '-X', '-P', 'pager=off', '-v', 'SHOW_CONTEXT=never' ],
		'<', \$psql, '>&', \$out, IPC::Run::timeout(300));
	my %ran;
	$ran{$1} = [ $2, $3 ] while $out =~ /^@@ (\d+)\n(.*?)^@@ done (\w+)$/msg;
	foreach my $block (grep { is_run($_) } @blocks)
	{
		my ($output, $state) = @{ $ran{ $block->{line} } // [ '', '' ] };
		my $why = $ran{ $block->{line} } ? judge($block, $output, $state) : 'it did not run to its end';
		$count += count_commands($block);
		push @wrong, "line $block->{line}: $why\n$output" if $why;
	}
	push @wrong, "what psql said:\n$out" if grep { /did not run/ } @wrong;
	return (\@wrong, $count // 0);
}

1;
