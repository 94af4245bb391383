import fc from 'fast-check';

// One seed, so that the score is the same each time; and nobody reads the smallest example of a planted defect.
fc.configureGlobal({ seed: 4, endOnFailure: true });
