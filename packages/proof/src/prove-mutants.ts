/** `npm run prove:mutants`: seeded bugs, each of which the model must find. */
process.stderr.write('prove:mutants: no mutant is here yet\n');
process.exitCode = 2;
