/**
 * @typedef {object} Mutation
 * @property {string} id
 * @property {string} file
 * @property {string} find text that is there exactly once
 * @property {string} replace
 * @property {string} what what is broken, in the words of the kernel
 * @property {string} [survives] why nobody can notice
 */

/**
 * The mutations of one file.
 *
 * @param {string} file
 * @param {readonly Omit<Mutation, "file">[]} mutations
 * @returns {Mutation[]}
 */
export function inFile(file, mutations) {
  return mutations.map((mutation) => ({ ...mutation, file }));
}
