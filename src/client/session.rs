//! Who a profile asks as, for as long as the command runs: one lease for all of its targets, and one sign-in at a time.

use std::cell::RefCell;
use std::rc::Rc;

use tokio::sync::Mutex;

use crate::credential::Lease;
use crate::credential::seek::Seek;
use crate::error::Error;
use crate::provider::Found;
use crate::signin::SignIn;

/// A profile that has signed in.
pub struct Session {
    lease: RefCell<Rc<Lease>>,
    sign_in: SignIn,
    /// Held by the request that signs in; true once that brought nothing better. Then it is not tried again: a password
    /// that is refused over and over locks its user out.
    given_up: Mutex<bool>,
}

impl Session {
    /// A session that begins with this lease.
    pub fn new(lease: Lease, sign_in: SignIn) -> Self {
        Session {
            lease: RefCell::new(Rc::new(lease)),
            sign_in,
            given_up: Mutex::new(false),
        }
    }

    /// The lease of this moment.
    pub fn lease(&self) -> Rc<Lease> {
        Rc::clone(&self.lease.borrow())
    }

    /// The lease, signed in anew if it is about to end. If that brings nothing better, the old one is used while it lasts.
    pub async fn fresh(&self, seek: &Seek<'_>) -> Rc<Lease> {
        if self.lease().is_fresh(seek.now()) {
            return self.lease();
        }
        let mut given_up = self.given_up.lock().await;
        if !*given_up && !self.lease().is_fresh(seek.now()) {
            *given_up = !self.replace(seek).await;
        }
        self.lease()
    }

    /// Signs in again after `refused` was refused; false if that brings nothing new.
    pub async fn renew(&self, seek: &Seek<'_>, refused: &Rc<Lease>) -> bool {
        // What a file or variable holds would be the same again.
        if refused.expires.is_none() {
            return false;
        }
        let mut given_up = self.given_up.lock().await;
        // Another request may have done it meanwhile.
        if Rc::ptr_eq(&self.lease(), refused) && !*given_up {
            let cache = seek.cache.for_renewal();
            let seek = Seek {
                cache: &cache,
                ..*seek
            };
            *given_up = !self.replace(&seek).await;
        }
        !Rc::ptr_eq(&self.lease(), refused)
    }

    /// Signs in, and says whether that brought a lease which lasts.
    async fn replace(&self, seek: &Seek<'_>) -> bool {
        match self.sign_in.lease(seek).await {
            Ok(Found::Lease(lease)) => {
                let lasts = lease.is_fresh(seek.now());
                self.lease.replace(Rc::new(*lease));
                lasts
            }
            Ok(Found::Nothing(_)) => false,
            Err(error) => {
                let again = Error {
                    what: format!("sign in again: {}", error.what),
                    ..error
                };
                seek.ui.warn(again.to_string());
                false
            }
        }
    }
}
