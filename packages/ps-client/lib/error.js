/** The session could not be carried on or ended now: nothing is known to be over. */
export class SessionUnavailable extends Error {
  constructor(code = 'unavailable') {
    super(`The session cannot be reached now: ${code}.`);
    this.name = 'SessionUnavailable';
    this.code = code;
  }
}
